"""One job per table; `python -m pipelines JOB`, run by make."""
