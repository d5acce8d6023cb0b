"""Simulators of cohorts whose truth is known: a new one is one entry here and one file beside this one.

A simulator's module offers `simulate(settings, seed) -> (matrix, samples, truth)`: a table of values as a user would
hand it in, a sample table with sample and label, and a table of the planted truth with class and feature.
"""

SIMULATORS = {"expression_cohort": "simulators.expression_cohort"}
