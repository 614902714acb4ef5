rule sample:
    input:
        unpack(needs(SAMPLES)),
    output:
        SAMPLES,
    log:
        f"{RUN}/logs/samples/{{dataset}}/{{task}}/{{sampler}}/{{point}}.log",
    benchmark:
        f"{RUN}/benchmarks/samples/{{dataset}}/{{task}}/{{sampler}}/{{point}}.tsv"
    conda:
        SAMPLE_ENV
    threads: 1
    resources:
        gpu=GPU,
        device=DEVICE,
        batch_size=BATCH_SIZE,
        mem_mb=8000,
        runtime=720,
    params:
        settings=settings(SAMPLES),
    shell:
        "python -m benchmark sample --settings {params.settings:q} --cases {input.cases:q} --output {output:q} "
        "--device {resources.device} --batch-size {resources.batch_size} --threads {threads} --quiet 2> {log:q}"


use rule sample as candidates with:
    input:
        unpack(needs(CANDIDATES)),
    output:
        CANDIDATES,
    log:
        f"{RUN}/logs/candidates/{{dataset}}/{{task}}/{{sampler}}/{{shard}}.log",
    benchmark:
        f"{RUN}/benchmarks/candidates/{{dataset}}/{{task}}/{{sampler}}/{{shard}}.tsv"
    resources:
        gpu=GPU,
        device=DEVICE,
        batch_size=BATCH_SIZE,
        mem_mb=8000,
        runtime=1440,
    params:
        settings=settings(CANDIDATES),
