"""How well something plays, measured: figures, baselines, tables, plots, model cards."""
