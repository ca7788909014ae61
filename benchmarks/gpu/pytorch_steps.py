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
IMAGES = 1000


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
    parser.add_argument("--mode", choices=["eager", "graph"], required=True, help="graph: a step is one replayed CUDA graph")
    parser.add_argument("--batch-size", type=int, default=10)
    parser.add_argument("--steps", type=int, default=2000, help="of each of seven rounds")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # the fastest algorithm for these shapes
    torch.manual_seed(1)
    device = torch.device(options.device)
    model = (fully_connected() if options.model == "fc" else convolutional()).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    images = torch.randint(0, 256, (IMAGES, 784), dtype=torch.uint8, device=device)
    batches = torch.randperm(IMAGES, device=device)[: IMAGES // options.batch_size * options.batch_size].view(-1, options.batch_size)
    chosen = batches[0].clone()  # where a graph reads which images to take

    def step():
        x = (images[chosen].float() / 255 - 0.1307) / 0.3081
        loss = nn.functional.mse_loss(model(x), x)
        optimizer.zero_grad(set_to_none=options.mode == "eager")
        loss.backward()
        if options.model == "conv":
            nn.utils.clip_grad_norm_(model.parameters(), 0.25, foreach=True)
        optimizer.step()
        return loss

    run = step
    if options.mode == "graph":
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(11):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = step()

        def run():
            graph.replay()
            return loss

    def time_steps():
        synchronize(device)
        start = time.perf_counter()
        for i in range(options.steps):
            chosen.copy_(batches[i % len(batches)])
            last = run()
        last.item()
        synchronize(device)
        return 1e6 * (time.perf_counter() - start) / options.steps

    time_steps()
    times = sorted(time_steps() for _ in range(ROUNDS))
    print(json.dumps({
        "model": options.model,
        "mode": options.mode,
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        "batch_size": options.batch_size,
        "us_per_step": statistics.median(times),
        "us_per_step_best": times[0],
    }))


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
