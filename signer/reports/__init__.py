"""Reports: one renderer for each output format, chosen from the table in `signer.reports.formats`."""
