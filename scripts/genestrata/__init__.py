"""Genestrata: validated classifiers and ranked marker genes from expression matrices, time series and DNA."""
