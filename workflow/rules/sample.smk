rule sample:
    input:
        cases=needs(SAMPLES, "cases"),
    output:
        SAMPLES,
    params:
        settings=settings(SAMPLES),
        batch_size=PLAN.config["batch_size"],
    log:
        f"{RUN}/logs/samples/{{dataset}}/{{task}}/{{sampler}}/{{point}}.log",
    benchmark:
        f"{RUN}/benchmarks/samples/{{dataset}}/{{task}}/{{sampler}}/{{point}}.tsv"
    conda:
        SAMPLE_ENV
    threads: 1
    resources:
        device=resource(SAMPLES, "device"),
        gpu=resource(SAMPLES, "gpu"),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=720,
    shell:
        "python -m benchmark sample --settings {params.settings:q} --cases {input.cases:q} --output {output:q} "
        "--device {resources.device} --batch-size {params.batch_size} --threads {threads} --quiet 2> {log:q}"


use rule sample as candidates with:
    input:
        cases=needs(CANDIDATES, "cases"),
    output:
        CANDIDATES,
    params:
        settings=settings(CANDIDATES),
        batch_size=PLAN.config["batch_size"],
    log:
        f"{RUN}/logs/candidates/{{dataset}}/{{task}}/{{sampler}}/{{shard}}.log",
    benchmark:
        f"{RUN}/benchmarks/candidates/{{dataset}}/{{task}}/{{sampler}}/{{shard}}.tsv"
    resources:
        device=resource(CANDIDATES, "device"),
        gpu=resource(CANDIDATES, "gpu"),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=1440,
