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
    params:
        settings=settings(SAMPLES),
    shell:
        "logged {log:q} python -m benchmark sample --settings {params.settings:q} --cases {input.cases:q} "
        "--output {output:q} --device $SAMPLE_DEVICE --batch-size $SAMPLE_BATCH_SIZE --threads {threads} --quiet "
        '--weights-dir "$WEIGHTS_DIR" --weights-registry "$WEIGHTS_REGISTRY"'


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
    params:
        settings=settings(CANDIDATES),
