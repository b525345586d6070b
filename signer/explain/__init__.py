"""Explain logs and codes of Windows: what stopped a driver, how certain that is, and what to do next.

    READERS ─> Record* ─> Symptoms (one for each file) + machine state ─> causes.toml ─> Explanation

`explain.explain` does all steps. `signer.codeintegrity` has the texts, the fields and the codes that are read.
"""
