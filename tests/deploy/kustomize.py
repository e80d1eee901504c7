"""As much of kustomize as our manifests use, so that a test needs no program for it.

Resources, a namespace, images, replicas, generated config maps with the hash in their names, and
patches of JSON 6902.  Where kubectl is installed, a test compares with its own build.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
_KNOWN = {
    "apiVersion", "kind", "resources", "namespace", "images", "replicas", "patches",
    "configMapGenerator",
}  # fmt: skip
_CLUSTER_WIDE = {"Namespace"}


def build(folder: Path) -> list[Manifest]:
    """The manifests of a kustomization."""
    given = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    assert given.keys() <= _KNOWN, given.keys() - _KNOWN
    made: list[Manifest] = []
    for name in given.get("resources", ()):
        path = folder / name
        made += build(path) if path.is_dir() else read(path)
    for generator in given.get("configMapGenerator", ()):
        made.append(_config_map(folder, generator))
        _rename(made, generator["name"], made[-1]["metadata"]["name"])
    for patch in given.get("patches", ()):
        _patch(made, patch)
    for replicas in given.get("replicas", ()):
        found = [
            m for m in made if m["metadata"]["name"] == replicas["name"] and "replicas" in m["spec"]
        ]
        assert found, replicas
        found[0]["spec"]["replicas"] = replicas["count"]
    for image in given.get("images", ()):
        _set_image(made, image)
    if "namespace" in given:
        for manifest in made:
            if manifest["kind"] not in _CLUSTER_WIDE:
                manifest["metadata"]["namespace"] = given["namespace"]
    return made


def read(path: Path) -> list[Manifest]:
    """The manifests of a file."""
    found = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return [manifest for manifest in found if manifest]


def pod_spec(manifest: Manifest) -> dict[str, Any] | None:
    """The pods that a manifest makes, if it makes any."""
    template = manifest.get("spec", {}).get("template", {})
    spec: dict[str, Any] | None = template.get("spec")
    return spec


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """All containers of a manifest, those that run first too."""
    spec = pod_spec(manifest) or {}
    return [*spec.get("initContainers", ()), *spec.get("containers", ())]


def _config_map(folder: Path, generator: dict[str, Any]) -> Manifest:
    data = {name: (folder / name).read_text(encoding="utf-8") for name in generator["files"]}
    name = generator["name"]
    # as Go writes JSON; the name is not in it
    text = json.dumps(
        {"kind": "ConfigMap", "name": "", "data": data},
        sort_keys=True, separators=(",", ":"), ensure_ascii=False,
    )  # fmt: skip
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    suffix = digest.translate(str.maketrans("013ae", "ghkmt"))
    metadata = {"name": f"{name}-{suffix}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _rename(made: list[Manifest], old: str, new: str) -> None:
    for manifest in made:
        for volume in (pod_spec(manifest) or {}).get("volumes", ()):
            if volume.get("configMap", {}).get("name") == old:
                volume["configMap"]["name"] = new


def _set_image(made: list[Manifest], image: dict[str, str]) -> None:
    for container in (c for manifest in made for c in containers(manifest)):
        name, _, tag = container["image"].partition(":")
        if name == image["name"]:
            place = image.get("newName", name)
            end = f"@{image['digest']}" if "digest" in image else f":{image.get('newTag', tag)}"
            container["image"] = place + end


def _patch(made: list[Manifest], patch: dict[str, Any]) -> None:
    target = patch["target"]
    group = "/".join(filter(None, (target.get("group"), target.get("version"))))
    found = [
        m for m in made
        if m["kind"] == target["kind"] and m["apiVersion"] == group
        and re.fullmatch(target.get("name", ".*"), m["metadata"]["name"])
    ]  # fmt: skip
    assert found, f"a patch meets nothing: {target}"
    for manifest in found:
        for step in yaml.safe_load(patch["patch"]):
            _apply(manifest, step)


def _apply(manifest: Manifest, step: dict[str, Any]) -> None:
    """One step of RFC 6902."""
    *way, last = [p.replace("~1", "/").replace("~0", "~") for p in step["path"].split("/")[1:]]
    at: Any = manifest
    for key in way:
        at = at[int(key)] if isinstance(at, list) else at[key]
    if step["op"] == "remove":
        del at[last]
    elif isinstance(at, list):
        assert last == "-", step
        at.append(copy.deepcopy(step["value"]))
    else:
        assert step["op"] == "add" or last in at, step
        at[last] = copy.deepcopy(step["value"])
