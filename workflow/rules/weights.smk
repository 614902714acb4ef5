# Only experiments with public models have such jobs; the embedded priors ship with the project.
rule weights:
    output:
        WEIGHTS,
    log:
        f"{RUN}/logs/weights/{{entry}}.log",
    priority: 100
    conda:
        CPU_ENV
    threads: 1
    shell:
        "logged {log:q} python -m benchmark weights fetch {wildcards.entry} "
        '--dir "$WEIGHTS_DIR" --registry "$WEIGHTS_REGISTRY" '
        "--record {output:q}"
