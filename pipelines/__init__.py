"""How a return travels: landing, raw, validated, the dbt build, exports."""
