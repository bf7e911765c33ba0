"""The workbook (or the CSV files) an authority fills in, made from ``sources/``.

:mod:`~pipelines.templates.workbook` and :mod:`~pipelines.templates.csv_files` write what an
authority is given, and returns filled in in the same layout. The same input gives the same bytes.
"""
