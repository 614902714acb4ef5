"""Tables, figures and contact sheets of a run, and what is held against them.

Words, from the smallest to the whole (``benchmark.jobs.publish`` has the settings, ``document`` what is written):

- row: a point of the grid, or what a strategy selected, as the plan asks for it in a list of blocks.
- block: the rows of one dataset, task and sampler, in one of the lists ``eta_sweep``, ``D_sweep``, ``selection`` and
  ``samplers``.
- group: blocks of a list that differ in their task alone (``results.measured.Group``).
- scope: the tasks of a group that a number is about: all together, overall, or one (``results.measured.Scope``).
- entry: what a row has of one metric within one scope, and its change from plain (``results.comparison.Entry``).
- section: a table on the page with its title and note; a document is several of them (``document``).
- run: the settings and all that was measured (``results.run.Run``); tables and figures are functions of it, and enter
  themselves in ``contents``.
- paper: the published numbers that stand beside ours (``results.paper``).
- exact: the results of the section ``truth``, samplers held against exact posteriors.
"""
