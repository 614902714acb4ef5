# The workflow itself is in workflow/; this file lets a plain `snakemake --cores all` find it.
include: "workflow/Snakefile"


rule everything:
    default_target: True
    input:
        rules.all.input,
