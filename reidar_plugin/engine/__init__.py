"""The training loop and whole tests: the engine, its step, log, schedule and options, the evaluator and what it leaves."""
