"""Render an audit as one HTML page with plots and a searchable table: it loads nothing, and works from a file.

    Row* ─> Tally (numbers by facet) ─> summary and charts   first pass
    Row* ─> embedded JSON                                     second pass, which data/audit/*.js show

The charts are drawn here. Plotly, Bokeh and Vega embed 1 to 4 MB of script that needs inline styles or `eval`, pygal
and matplotlib draw pictures without links: none gives bars that are links, reflow on a phone, and fit a policy that
allows one script and one style sheet by their hashes. Bars need a label, a link and a rectangle.
"""
