"""Answer which of many drivers stop loading: one row a distinct driver, from one folder to a fleet.

    places ─> Unit* ─> Sighting* (answers of single files) ─> Ledger (merged by digest) ─> Row*

`run.audit` does all steps. Everything between the steps is small and picklable, so that units can be examined anywhere.
"""
