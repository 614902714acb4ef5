# The workflow itself is in workflow/; this file lets a plain `snakemake --cores all` find it.
include: "workflow/Snakefile"


workflow.default_target = "all"
