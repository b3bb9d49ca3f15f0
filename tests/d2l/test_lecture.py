"""A lecture as a teacher would write it, run from the command line: nothing in it knows divekit."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

CELLS = [
    # Vectorised or not, on tensors
    "%matplotlib inline\n!pip install d2l==0.16.6\nimport math\nimport time\nimport numpy as np\n"
    "import torch\nfrom d2l import torch as d2l",
    "n = 2000\na, b = torch.ones(n), torch.ones(n)\nc = torch.zeros(n)\nwatch = d2l.Timer()\n"
    "for i in range(n):\n    c[i] = a[i] + b[i]\n"
    "slow = watch.stop()\nwatch.start()\nd = a + b\n"
    "print('alike:', bool((c == d).all()), '| faster:', watch.stop() < slow)",
    "def bell(x, mean, spread):\n"
    "    return np.exp(-((x - mean) / spread) ** 2 / 2) / math.sqrt(2 * math.pi * spread**2)\n"
    "x = np.arange(-5, 5, 0.05)\n"
    "shapes = [(0, 1), (0, 2), (2, 1)]\n"
    "d2l.plot(x, [bell(x, *shape) for shape in shapes], xlabel='x', ylabel='density',\n"
    "         figsize=(4.5, 2.5), legend=[f'mean {m}, spread {s}' for m, s in shapes])",
    # Linear regression from scratch, on MXNet's arrays
    "import random\nfrom d2l import mxnet as d2l\n"
    "from mxnet import autograd, np, npx\nnpx.set_np()",
    "true_w, true_b = np.array([2, -3.4]), 4.2\n"
    "features, labels = d2l.synthetic_data(true_w, true_b, 1000)\n"
    "d2l.set_figsize()\nd2l.plt.scatter(d2l.numpy(features[:, 1]), d2l.numpy(labels), 1);",
    "def data_iter(size, features, labels):\n"
    "    order = list(range(len(features)))\n"
    "    random.shuffle(order)\n"
    "    for start in range(0, len(order), size):\n"
    "        rows = np.array(order[start:start + size])\n"
    "        yield features[rows], labels[rows]\n"
    "for X, y in data_iter(10, features, labels):\n    print(X.shape, y.shape)\n    break",
    "w = np.random.normal(0, 0.01, (2, 1))\nb = np.zeros(1)\nw.attach_grad()\nb.attach_grad()\n"
    "lr, num_epochs = 0.03, 3\n"
    "for epoch in range(num_epochs):\n"
    "    for X, y in data_iter(10, features, labels):\n"
    "        with autograd.record():\n"
    "            loss = d2l.squared_loss(d2l.linreg(X, w, b), y)\n"
    "        loss.backward()\n"
    "        d2l.sgd([w, b], lr, 10)\n"
    "    error = d2l.squared_loss(d2l.linreg(features, w, b), labels)\n"
    "    print(f'epoch {epoch + 1}, loss {float(error.mean()):f}')\n"
    "print('scratch', float(np.abs(true_w - w.reshape(true_w.shape)).max()))",
    # The same with Gluon
    "from mxnet import gluon, init\nfrom mxnet.gluon import nn\n"
    "batches = d2l.load_array((features, labels), 10)\n"
    "net = nn.Sequential()\nnet.add(nn.Dense(1))\nnet.initialize(init.Normal(sigma=0.01))\n"
    "loss = gluon.loss.L2Loss()\n"
    "trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.03})",
    "for epoch in range(3):\n"
    "    for X, y in batches:\n"
    "        with autograd.record():\n"
    "            error = loss(net(X), y)\n"
    "        error.backward()\n"
    "        trainer.step(10)\n"
    "print('gluon', float(np.abs(true_w - net[0].weight.data().reshape(true_w.shape)).max()))",
    "net",
]


@pytest.mark.slow
def test_a_lecture_on_linear_regression_runs_unmodified():
    blank = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [blank | {"source": text} for text in CELLS]
    Path("lecture.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    done = subprocess.run(
        [sys.executable, "-m", "divekit", "run", "lecture.ipynb", "--out", "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cell 1, line 2: left out: !pip install d2l==0.16.6" in done.stdout
    assert "alike: True | faster: True" in done.stdout
    losses = re.findall(r"epoch (\d), loss ([\d.]+)", done.stdout)
    assert [epoch for epoch, _ in losses] == ["1", "2", "3"]
    assert float(losses[-1][1]) < 1e-3
    for way in ("scratch", "gluon"):
        (error,) = re.findall(rf"{way} ([\d.e-]+)", done.stdout)
        assert float(error) < 0.01
    assert "(0): Dense(2 -> 1, linear)" in done.stdout
    assert [path.name for path in sorted(Path("out").iterdir())] == [
        "figure-1.svg", "figure-2.svg", "lecture.ipynb",
    ]  # fmt: skip
