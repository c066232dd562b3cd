"""One runner a stage: reads tables, calls transforms, writes tables. Only here do stages' packages meet."""
