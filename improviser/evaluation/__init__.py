"""Evaluation: figures, baseline policies, tables, plots and model cards that measure how well a policy plays."""
