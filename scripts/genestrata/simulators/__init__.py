"""Simulators of cohorts whose truth is known: a new one is one entry here and one file beside this one.

A simulator's module offers

    DEFAULTS                                                    every setting beside `classes`
    simulate(settings, seed) -> (matrix, samples, truth)        a table of values as a user would hand it in, a sample
                                                                table with sample and label, and the planted truth: with
                                                                class and feature for expression, with sample and class
                                                                for time series
"""

SIMULATORS = {
    "expression_cohort": "simulators.expression_cohort",
    "periodic_genes": "simulators.periodic_genes",
}
SIMULATOR_TASKS = {"expression_cohort": "expression", "periodic_genes": "time_series"}
