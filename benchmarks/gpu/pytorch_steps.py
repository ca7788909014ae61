"""PyTorch's side of benchmarks/gpu.sh: the same two models' training steps, timed as `autoencoder bench` times its own.

Everything of a step is inside: gathering a mini-batch of bytes that lie on the device, normalising, forward, loss, backward, plain SGD,
and for the convolutional model the clipping of the gradient's norm. TF32 is off. Prints one JSON object.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

ROUNDS = 7
GRAPH = 32  # steps a graph, as StepGraphs.cs records them
BATCHES = 3 * GRAPH


def fully_connected():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())


def convolutional():
    up = {"scale_factor": 2, "mode": "bilinear", "align_corners": True}
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Upsample(**up),
        nn.Conv2d(64, 32, 3, padding=1), nn.ReLU(), nn.Upsample(**up),
        nn.Conv2d(32, 1, 3, padding=1), nn.Sigmoid(), nn.Flatten())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["fc", "conv"], required=True)
    parser.add_argument("--mode", choices=["eager", "graph"], required=True, help=f"graph: {GRAPH} steps are one replayed CUDA graph")
    parser.add_argument("--batch-size", type=int, default=10)
    parser.add_argument("--steps", type=int, default=1920, help="of each of seven rounds; of a graph's, whole graphs")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # the fastest algorithm for these shapes
    torch.manual_seed(1)
    device = torch.device(options.device)
    model = (fully_connected() if options.model == "fc" else convolutional()).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images = torch.randint(0, 256, (BATCHES * options.batch_size, 784), dtype=torch.uint8, device=device)
    batches = torch.randperm(len(images), device=device).view(BATCHES, options.batch_size)

    def step(chosen):
        x = (images[chosen].float() / 255 - 0.1307) / 0.3081
        loss = nn.functional.mse_loss(model(x), x)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if options.model == "conv":
            nn.utils.clip_grad_norm_(model.parameters(), 0.25, foreach=True)
        optimizer.step()
        return loss.detach()

    # A turn is what the host starts at once.
    length, turn = (GRAPH, record(step, batches[:GRAPH])) if options.mode == "graph" else (1, lambda chosen: step(chosen[0]))
    turns = -(-options.steps // length)

    def time_steps():
        synchronize(device)
        start = time.perf_counter()
        for i in range(turns):
            first = i * length % BATCHES
            last = turn(batches[first:first + length])
        last.item()
        synchronize(device)
        return 1e6 * (time.perf_counter() - start) / (turns * length)

    time_steps()
    times = sorted(time_steps() for _ in range(ROUNDS))
    print(json.dumps({
        "model": options.model,
        "mode": options.mode,
        "steps_a_graph": length if options.mode == "graph" else None,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "batch_size": options.batch_size,
        "us_per_step": statistics.median(times),
        "us_per_step_best": times[0],
    }))


def record(step, batches):
    """Records a step for each mini-batch in one graph; what it returns replays them with others."""
    inputs = batches.clone()  # where the graph reads which images to take
    # What is set up on first use, and the choice of algorithms, may not be recorded; they take a stream of their own, as a recording does.
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(11):
            step(inputs[0])
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for chosen in inputs:
            loss = step(chosen)

    def replay(chosen):
        inputs.copy_(chosen)
        graph.replay()
        return loss

    return replay


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
