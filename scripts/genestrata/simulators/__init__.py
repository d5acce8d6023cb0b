"""Simulators of cohorts whose truth is known: a new one is one entry here and one file beside this one.

A simulator's module offers

    DEFAULTS                                                    every setting beside `classes`
    simulate(settings, seed) -> (matrix, samples, truth)        a table as a user would hand it in, of values, or of
                                                                sample and sequence; a sample table with sample and
                                                                label (and group, for sequences); and the planted truth:
                                                                with class and feature for expression, with sample and
                                                                class for time series and sequences

and, where labels are wrong on purpose,

    best_accuracy(settings) -> float                            the expected accuracy of a perfect classifier
"""

SIMULATORS = {
    "expression_cohort": "simulators.expression_cohort",
    "periodic_genes": "simulators.periodic_genes",
    "resistance_genes": "simulators.resistance_genes",
}
SIMULATOR_TASKS = {
    "expression_cohort": "expression",
    "periodic_genes": "time_series",
    "resistance_genes": "sequence",
}
