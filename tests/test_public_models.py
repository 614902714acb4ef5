"""Public diffusion models: their networks, their checkpoints, and experiments on files of the same form."""

import ast
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from golden import golden, golden_names
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from benchmark import cli, store
from benchmark.errors import BenchmarkError
from benchmark.jobs.sample import SampleSettings
from benchmark.networks.ddpm import DDPM, DDPMConfig
from benchmark.networks.unet import UNet, UNetConfig
from benchmark.priors import public as public_priors
from benchmark.priors.load import load_prior
from benchmark.priors.public import randomise
from benchmark.sampling.run import sample
from benchmark.store import sha256_of
from benchmark.weights import public
from benchmark.weights.checkpoints import load_state, load_strictly

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "images"
ADM = {
    "image_size": 32, "num_channels": 32, "num_res_blocks": 1, "channel_mult": "1,1", "attention_resolutions": "16",
    "num_heads": 4, "num_head_channels": 16, "resblock_updown": True, "use_scale_shift_norm": True,
    "use_new_attention_order": False, "learn_sigma": True, "class_cond": False, "dropout": 0.1, "use_fp16": True,
    "noise_schedule": "linear", "diffusion_steps": 1000,
}  # fmt: skip
DDPM_FLAGS = {
    "image_size": 32, "in_channels": 3, "out_ch": 3, "ch": 32, "ch_mult": [1, 2], "num_res_blocks": 1,
    "attn_resolutions": [16], "dropout": 0.0, "resamp_with_conv": True, "var_type": "fixedsmall", "beta_start": 0.0001,
    "beta_end": 0.02, "num_diffusion_timesteps": 1000,
}  # fmt: skip
DIFFUSERS = {
    "_class_name": "UNet2DModel", "sample_size": 32, "in_channels": 3, "out_channels": 3,
    "block_out_channels": [32, 64], "layers_per_block": 1, "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "norm_eps": 1e-6, "downsample_padding": 0,
    "flip_sin_to_cos": False, "freq_shift": 1, "attention_head_dim": None,
}  # fmt: skip


def small_adm(**flags):
    """A small ADM network with random weights; ``flags`` as in UNetConfig."""
    known = {key: ADM[key] for key in UNetConfig.__dataclass_fields__ if key in ADM}
    return randomise(UNet(UNetConfig.from_flags({**known, "out_channels": 6, **flags})), 1).eval()


@pytest.fixture
def models(tmp_path):
    """(registry file, weights folder) with a small ADM and a small DDPM checkpoint under registered names."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(small_adm().state_dict(), folder / "small.pt")
    torch.save(randomise(DDPM(DDPMConfig(32, 32, (1, 2), 1, (16,))), 1).state_dict(), folder / "small.ckpt")
    entries = {
        "small_adm": {"family": "adm", "what": "small", "flags": ADM, "files": [{"path": "small.pt"}]},
        "small_ddpm": {"family": "ddpm", "what": "small", "flags": DDPM_FLAGS, "files": [{"path": "small.ckpt"}]},
        "small_diffusers": {
            "family": "diffusers", "what": "small", "folder": "google/small", "manual": "by hand",
            "flags": {"hub": "google/small", "config": DIFFUSERS},
            "files": [{"path": "config.json"}, {"path": "diffusion_pytorch_model.bin"}],
        },
    }  # fmt: skip
    path = tmp_path / "registry.yaml"
    path.write_text(yaml.safe_dump(entries))
    return path, folder


def eps_of(prior, t=500):
    return prior(torch.randn(2, *prior.shape, generator=torch.Generator().manual_seed(3)), t)


# ------------------------------------------------------------------------------------------------------------ networks
def recorded_state(recorded) -> dict:
    return {k[3:]: torch.from_numpy(recorded[k].astype(np.float32)) for k in recorded.files if k.startswith("sd/")}


@pytest.mark.parametrize("name", golden_names("net_ddpm_*"))
def test_the_ddpm_network_agrees_with_the_recorded_one(name):
    recorded = golden(name)
    flags = json.loads(str(recorded["meta_json"]))["config"]
    network = DDPM(DDPMConfig.from_flags({k: v for k, v in flags.items() if k not in ("type", "dropout")})).eval()
    load_strictly(network, recorded_state(recorded), "recorded")
    with torch.no_grad():
        out = network(torch.from_numpy(recorded["x"]), torch.from_numpy(recorded["t"]))
    assert (out - torch.from_numpy(recorded["out"])).abs().max() < 1e-5


@pytest.mark.parametrize("new_order", [False, True])
@pytest.mark.parametrize("name", golden_names("net_guided_*"))
def test_the_adm_network_agrees_with_the_recorded_one_in_both_attention_orders(name, new_order):
    recorded = golden(name)
    flags = json.loads(str(recorded["meta_json"]))["config"]
    known = {key: value for key, value in flags.items() if key in UNetConfig.__dataclass_fields__}
    channels = 6 if flags["learn_sigma"] else 3
    config = UNetConfig.from_flags({**known, "use_new_attention_order": new_order, "out_channels": channels})
    wanted = "out" if new_order == flags["use_new_attention_order"] else "out_new_attention_order"
    if wanted not in recorded.files:
        pytest.skip(f"{name} was recorded in one attention order")
    network = load_strictly(UNet(config).eval(), recorded_state(recorded), "recorded")
    with torch.no_grad():
        out = network(torch.from_numpy(recorded["x"]), torch.from_numpy(recorded["t"]))
    assert (out - torch.from_numpy(recorded[wanted])).abs().max() < 1e-5


def as_diffusers(state, levels, blocks, heads):
    """An ADM state dict (legacy attention order, convolutions between levels) under the names of ``UNet2DModel``."""
    block = {
        "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2",
        "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
    }  # fmt: skip
    fixed = {
        "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
        "input_blocks.0.0": "conv_in", "out.0": "conv_norm_out", "out.2": "conv_out",
        "middle_block.0": "mid_block.resnets.0", "middle_block.1": "mid_block.attentions.0",
        "middle_block.2": "mid_block.resnets.1",
    }  # fmt: skip
    for k in range(1, levels * (blocks + 1)):
        i, j = divmod(k - 1, blocks + 1)
        fixed |= {f"input_blocks.{k}.0": f"down_blocks.{i}.resnets.{j}"} if j < blocks else {}
        fixed |= {
            f"input_blocks.{k}.1": f"down_blocks.{i}.attentions.{j}",
            f"input_blocks.{k}.0.op": f"down_blocks.{i}.downsamplers.0.conv",
        }
    for k in range(levels * (blocks + 1)):
        u, j = divmod(k, blocks + 1)
        fixed |= {
            f"output_blocks.{k}.0": f"up_blocks.{u}.resnets.{j}",
            f"output_blocks.{k}.1": f"up_blocks.{u}.attentions.{j}",
        }
        fixed |= {f"output_blocks.{k}.{n}.conv": f"up_blocks.{u}.upsamplers.0.conv" for n in (1, 2)}
    renamed = {}
    for name, value in state.items():
        start = max((key for key in fixed if name.startswith(f"{key}.")), key=len)
        new, rest = fixed[start], name.removeprefix(f"{start}.")
        if "attentions" not in new:
            part, _, last = rest.rpartition(".")
            renamed[".".join(filter(None, (new, block.get(part, part), last)))] = value
            continue
        part, last = rest.rsplit(".", 1)
        value = value.squeeze(-1) if value.dim() == 3 else value
        if part == "qkv":
            split = value.reshape(heads, 3, -1, *value.shape[1:])
            renamed |= {f"{new}.to_{x}.{last}": split[:, i].flatten(0, 1) for i, x in enumerate("qkv")}
        else:
            renamed[f"{new}.{ {'norm': 'group_norm', 'proj_out': 'to_out.0'}[part] }.{last}"] = value
    return renamed


def test_the_adm_variant_with_plain_convolutions_added_embedding_and_fixed_heads_agrees_with_diffusers():
    diffusers = pytest.importorskip("diffusers")
    flags = {"resblock_updown": False, "use_scale_shift_norm": False, "num_heads": 4, "num_head_channels": -1}
    network = small_adm(**flags, channel_mult="1,2", num_res_blocks=2)
    other = diffusers.UNet2DModel(
        sample_size=32, out_channels=6, block_out_channels=(32, 64), layers_per_block=2, norm_eps=1e-5, freq_shift=0,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=16, flip_sin_to_cos=True, downsample_padding=1, attn_norm_num_groups=32,
    ).eval()  # fmt: skip
    load_strictly(other, as_diffusers(network.state_dict(), levels=2, blocks=2, heads=4), "renamed")
    x, t = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 800])
    with torch.no_grad():
        assert (network(x, t) - other(x, t).sample).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("adm_imagenet256", 552_814_086), ("adm_lsun_cat256", 552_814_086), ("ddpm_celebahq256", None)],
)
def test_registered_flags_make_networks_of_the_published_size(name, parameters):
    entry = public.diffusion_entry(name)
    make, shape, learned_range = public_priors._FAMILIES[entry.family](entry.flags, None)
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in make().parameters())
    assert shape == (3, 256, 256)
    assert learned_range is name.startswith("adm")
    assert count == parameters if parameters else 113e6 < count < 115e6


# -------------------------------------------------------------------------------------------------------------- priors
@pytest.mark.parametrize(("name", "learned_range"), [("small_adm", True), ("small_ddpm", False)])
def test_a_registered_checkpoint_is_a_prior_known_by_its_hash(models, name, learned_range):
    path, folder = models
    prior = load_prior({"name": name}, "cpu", folder, path)
    prediction = eps_of(prior)
    assert prior.shape == (3, 32, 32)
    assert prior.learned_range is learned_range
    assert prediction.eps.shape == (2, 3, 32, 32)
    assert (prediction.variance is None) is not learned_range
    assert prior.sha256 == sha256_of(folder / public.lookup(name, path).files[0].path)


@pytest.mark.parametrize("name", ["small_adm", "small_ddpm"])
@pytest.mark.parametrize("dtype", ["tf32", "bfloat16", "float16"])
def test_half_precision_stays_near_float32(models, name, dtype):
    path, folder = models
    exact = eps_of(load_prior({"name": name}, "cpu", folder, path)).eps
    half = eps_of(load_prior({"name": name, "dtype": dtype}, "cpu", folder, path)).eps
    assert half.dtype == torch.float32
    assert (half - exact).abs().max() < {"tf32": 1e-6, "bfloat16": 0.15, "float16": 0.02}[dtype] * exact.abs().max()


def test_a_checkpoint_saved_in_half_precision_is_the_same_prior(models):
    path, folder = models
    halved = {name: value.half() for name, value in small_adm().state_dict().items()}
    torch.save(halved, folder / "small.pt")
    prior = load_prior({"name": "small_adm"}, "cpu", folder, path)
    assert all(value.dtype == torch.float32 for value in prior.network.state_dict().values())
    rounded = small_adm()
    rounded.load_state_dict({name: value.float() for name, value in halved.items()})
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        assert torch.equal(eps_of(prior).eps, rounded(x, torch.tensor([500, 500]))[:, :3])


def test_random_weights_need_no_file_and_are_called_so(models, tmp_path):
    path, _ = models
    first, again, other = (
        load_prior({"name": "small_adm", "random_weights": seed}, "cpu", tmp_path / "none", path) for seed in (0, 0, 1)
    )
    assert torch.equal(eps_of(first).eps, eps_of(again).eps)
    assert not torch.equal(eps_of(first).eps, eps_of(other).eps)
    assert eps_of(first).eps.std() > 0.05
    assert first.sha256 == "none: random weights, seed 0"


def test_a_diffusers_folder_loads_by_name_hub_name_and_path(models):
    pytest.importorskip("diffusers")
    from benchmark.networks.diffusers_unet import build

    path, weights = models
    folder = weights / "google" / "small"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(DIFFUSERS))
    network = randomise(build(DIFFUSERS), 5)
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = {}
    for name, value in network.model.state_dict().items():
        for new, former in old.items():
            name = name.replace(f".{new}.", f".{former}.")
        state[name] = value
    torch.save(state, folder / "diffusion_pytorch_model.bin")
    by_name, by_hub, by_path = (
        load_prior(settings, "cpu", weights, path)
        for settings in (
            {"name": "small_diffusers"},
            {"name": "google/small"},
            {"name": "diffusers_folder", "folder": str(folder)},
        )
    )
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        wanted = network.model(x, torch.tensor([7])).sample
    for prior in (by_name, by_hub, by_path):
        assert torch.equal(prior(x, 7).eps, wanted)


def test_diffusers_is_imported_by_its_own_priors_only():
    source = (Path(public_priors.__file__).parents[1] / "networks" / "diffusers_unet.py").read_text()
    top = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "diffusers" not in {getattr(node, "module", None) for node in top}
    others = (p for p in Path(public_priors.__file__).parents[1].rglob("*.py") if p.name != "diffusers_unet.py")
    assert not [path for path in others if re.search(r"^\s*(from|import) diffusers\b", path.read_text(), re.MULTILINE)]


# --------------------------------------------------------------------------------------------------- what is refused
class Code:
    """Unpickled, it would run a command."""

    def __reduce__(self):
        import os

        return os.system, ("echo run",)


def _without_a_key(path, state):
    state.pop("out.2.bias")
    torch.save(state, path)


def _of_a_wrong_shape(path, state):
    state["out.2.bias"] = torch.zeros(3)
    torch.save(state, path)


def _truncated(path, _):
    path.write_bytes(path.read_bytes()[:100_000])


def _with_code(path, state):
    torch.save({**state, "x": Code()}, path)


def _with_code_in_the_old_format(path, state):
    torch.save({**state, "x": Code()}, path, _use_new_zipfile_serialization=False)


def _a_bare_pickle_with_code(path, _):
    path.write_bytes(pickle.dumps(Code(), protocol=4))


def _a_pointer(path, _):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")


def _empty(path, _):
    path.write_bytes(b"")


def _of_another_depth(path, _):
    torch.save(small_adm(num_res_blocks=2).state_dict(), path)


def _of_another_width(path, _):
    torch.save(small_adm(num_channels=64).state_dict(), path)


def _of_another_family(path, _):
    torch.save(randomise(DDPM(DDPMConfig(32, 32, (1, 2), 1, (16,))), 1).state_dict(), path)


def _a_page(path, _):
    path.write_text("<!DOCTYPE html><html>quota exceeded</html>")


def _of_other_flags(path, _):
    torch.save(small_adm(resblock_updown=False, use_scale_shift_norm=False).state_dict(), path)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_without_a_key, "1 missing (first out.2.bias)"),
        (_of_a_wrong_shape, "(first out.2.bias: (3,), needed (6,))"),
        (_truncated, "truncated"),
        (_with_code, "could run code"),
        (_with_code_in_the_old_format, "could run code"),
        (_a_bare_pickle_with_code, "could run code"),
        (_a_page, "a web page"),
        (_a_pointer, "a Git LFS pointer"),
        (_empty, "empty file"),
        (_of_other_flags, "other flags"),
        (_of_another_depth, "that the network does not have (first "),
        (_of_another_width, "of another shape (first time_embed.0.weight: (256, 64), needed (128, 32))"),
        (_of_another_family, "missing (first time_embed.0.weight)"),
    ],
)
def test_a_bad_checkpoint_is_refused_in_one_line_that_says_what_does_not_fit(models, damage, says, capfd):
    path, folder = models
    damage(folder / "small.pt", small_adm().state_dict())
    with pytest.raises(BenchmarkError) as error:
        load_prior({"name": "small_adm"}, "cpu", folder, path)
    assert says in str(error.value)
    assert "small.pt" in str(error.value)
    assert "\n" not in str(error.value)
    assert "run" not in capfd.readouterr().out


def test_a_bad_safetensors_file_is_refused_in_one_line(tmp_path):
    whole, path = tmp_path / "whole.safetensors", tmp_path / "bad.safetensors"
    save_file(small_adm().state_dict(), whole)
    assert len(load_state(whole)) == len(small_adm().state_dict())
    for content, says in (
        (whole.read_bytes()[:-100], "truncated or not a safetensors file"),
        (b"\xff" * 1000, "truncated or not a safetensors file"),
        (b"<html>not found</html>", "a web page"),
        (b"", "empty file"),
    ):
        path.write_bytes(content)
        with pytest.raises(BenchmarkError, match=f"bad.safetensors: {says}") as error:
            load_state(path)
        assert "\n" not in str(error.value)
    save_file({}, path)
    with pytest.raises(BenchmarkError, match="holds no state dict"):
        load_state(path)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"name": "small"}, "unknown; priors are"),
        ({"name": "small_adm", "steps": 3}, "unknown option 'steps'"),
        ({"name": "small_adm", "dtype": "int8"}, "dtype 'int8' is unknown"),
        ({"name": "small_adm", "random_weights": -1}, "random_weights is -1"),
        ({"name": "small_diffusers"}, "get it by hand"),
    ],
)
def test_a_prior_that_cannot_be_is_refused_in_one_line(models, settings, says):
    path, folder = models
    with pytest.raises(BenchmarkError, match=re.escape(says)):
        load_prior(settings, "cpu", folder, path)


# ------------------------------------------------------------------------------------- a small experiment of real form
@pytest.fixture
def celeba(tmp_path):
    """Two pictures in CelebAMask-HQ's layout, with a mouth and a nose."""
    root = tmp_path / "CelebAMask-HQ"
    draw = np.random.default_rng(0)
    for number in (7, 9):
        picture = root / "CelebA-HQ-img" / f"{number}.jpg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (64, 64, 3), np.uint8)).save(picture)
        for label, box in (("u_lip", (200, 300, 320, 340)), ("nose", (230, 200, 290, 280))):
            part = root / "CelebAMask-HQ-mask-anno" / "0" / f"{number:05d}_{label}.png"
            part.parent.mkdir(parents=True, exist_ok=True)
            mask = Image.new("L", (512, 512))
            ImageDraw.Draw(mask).rectangle(box, fill=255)
            mask.save(part)
    return root


def test_files_of_the_published_form_go_from_cases_to_metrics(models, celeba, tmp_path):
    path, folder = models
    source = {"name": "celebamask_hq", "path": str(celeba), "ids": ["7", "9"], "size": 32}
    mask = {"recipe": "parts", "parts": ["mouth"], "dilate": 1}
    cases = {"dataset": "c", "source": source, "mask": mask, "mask_name": "mouth", "count": 2, "seed": 0}
    files = {name: str(tmp_path / f"{name}.parquet") for name in ("cases", "sets", "metrics")}
    cli.main(
        ["cases", "--settings", json.dumps(cases), "--output", files["cases"], "--preview", str(tmp_path / "p.png")]
    )
    settings = {
        "dataset": "c", "task": "mouth", "sampler": "repaint", "method": "nearest_neighbour",
        "prior": {"name": "small_adm"}, "problem": {"name": "inpainting", "sigma": 0.0},
        "algorithm": {"name": "repaint", "preset": "reference", "steps": 4, "jump_length": 2, "jump_n_sample": 2},
        "guidance": {"name": "nearest_neighbour", "eta": 0.1, "D": 0.0003, "D_unit": "repaint"},
        "n": 3, "first_index": 0, "seeds": [0],
    }  # fmt: skip
    sampling = SampleSettings.from_json(settings)
    sample(sampling, files["cases"], files["sets"], "cpu", quiet=True, weights_dir=folder, weights_registry=path)
    table = pq.read_table(files["sets"])
    assert table.num_rows == 6
    assert all(table["finite"].to_pylist())
    assert sha256_of(folder / "small.pt") in str(table.schema.metadata)
    measure = {
        "dataset": "c", "task": "mouth", "sampler": "repaint", "metrics": ["diversity", "cost"],
        "features": {"name": "hole_pca"}, "classifier": None, "problem": settings["problem"], "n": 3, "seed": 0,
    }  # fmt: skip
    cli.main(
        ["measure", "--settings", json.dumps(measure), "--sets", files["sets"], "--cases", files["cases"],
         "--candidates", "--output", files["metrics"]]
    )  # fmt: skip
    measured = {row["metric"]: row["value"] for row in pq.read_table(files["metrics"]).to_pylist()}
    assert measured["pixel_distance_hole_mean"] > 0
    assert measured["finite_share"] == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published faces and masks are not here")
def test_the_published_faces_and_masks_go_through_the_pipeline_with_random_weights(tmp_path, capsys):
    masks = {"16315/16315": "1116.jpg"}  # one is called otherwise than its picture
    settings = {
        "dataset": "published", "mask_name": "published", "count": 4, "seed": 0,
        "source": {"name": "image_folder", "path": str(SHARED / "celeba_inp"), "ids": "celebamask_hq_published"},
        "mask": {"recipe": "mask_image", "folder": str(SHARED / "celeba_inp_masks"), "files": masks},
    }  # fmt: skip
    full, again, preview = (tmp_path / name for name in ("full.parquet", "again.parquet", "preview.png"))
    command = ["cases", "--settings", json.dumps(settings), "--output"]
    assert cli.main([*command, str(full), "--preview", str(preview)]) == 0
    warned = capsys.readouterr().err.splitlines()
    assert len(warned) == 4
    assert all(re.fullmatch(r"warning: .*\.jpg: a JPEG as mask: .*; save masks as PNG", line) for line in warned)
    assert cli.main([*command, str(again)]) == 0
    assert sha256_of(full) == sha256_of(again)
    cases = store.read_cases(full)
    assert [round(float(case.hole.mean()), 6) for case in cases.values()] == [0.18692, 0.297546, 0.327301, 0.18692]
    sheet = np.asarray(Image.open(preview).convert("RGB"))
    assert sheet.shape == (2 * 256 + 4, 4 * (256 + 4), 3)
    for column, case in enumerate(cases.values()):
        left = column * 260 + 2
        above, below = sheet[2:258, left : left + 256], sheet[258:514, left : left + 256]
        assert np.array_equal(above, store.to_uint8(case.image))
        assert np.array_equal(below[~case.hole], above[~case.hole])
        assert len(np.unique(below[case.hole], axis=0)) == 2  # two colours of stripes
    small = {**settings, "source": {**settings["source"], "size": 64}}
    assert cli.main(["cases", "--settings", json.dumps(small), "--output", str(tmp_path / "small.parquet")]) == 0
    flags = {**ADM, "image_size": 64, "attention_resolutions": "64", "resblock_updown": False}
    entry = {"family": "adm", "what": "small", "flags": flags, "files": [{"path": "absent.pt"}]}
    (tmp_path / "registry.yaml").write_text(yaml.safe_dump({"adm_celebahq256": entry}))
    job = {
        "dataset": "published", "task": "published", "sampler": "repaint", "method": "nearest_neighbour",
        "prior": {"name": "adm_celebahq256", "random_weights": 0}, "problem": {"name": "inpainting", "sigma": 0.0},
        "algorithm": {"name": "repaint", "preset": "reference", "steps": 2, "jump_length": 1, "jump_n_sample": 1},
        "guidance": {"name": "nearest_neighbour", "eta": 0.09, "D": 0.0003, "D_unit": "repaint"},
        "n": 2, "first_index": 0, "seeds": [0],
    }  # fmt: skip
    sample(
        SampleSettings.from_json(job), tmp_path / "small.parquet", tmp_path / "sets.parquet", "cpu", quiet=True,
        weights_dir=tmp_path, weights_registry=tmp_path / "registry.yaml",
    )  # fmt: skip
    plain = {**job, "method": "plain", "guidance": None}
    places = ["--weights-dir", str(tmp_path), "--weights-registry", str(tmp_path / "registry.yaml")]
    command = ["distances", "--settings", json.dumps(plain), "--cases", str(tmp_path / "small.parquet"), *places]
    assert cli.main(command) == 0
    assert "suggested D (unit rms): " in capsys.readouterr().out
    table = pq.read_table(tmp_path / "sets.parquet")
    assert [*dict.fromkeys(table["case"].to_pylist())] == list(cases)
    assert all(table["finite"].to_pylist())
    assert "none: random weights, seed 0" in str(table.schema.metadata)


def test_fetching_records_what_is_there_for_the_jobs_that_need_it(models, tmp_path):
    path, folder = models
    record = tmp_path / "record.txt"
    arguments = [
        "weights",
        "fetch",
        "small_adm",
        "--dir",
        str(folder),
        "--registry",
        str(path),
        "--record",
        str(record),
    ]
    cli.main(arguments)
    assert record.read_text() == f"small_adm small.pt {sha256_of(folder / 'small.pt')}\n"
