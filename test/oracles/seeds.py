"""The seeded generator written anew with Python's integers; writes seeds.json. Run: python test/oracles/seeds.py"""
import json
from pathlib import Path

M = 0xFFFFFFFF


def rotate(x, bits):
    return ((x << bits) | (x >> (32 - bits))) & M


def mix(h):
    h = (h ^ (h >> 16)) * 0x85EBCA6B & M
    h = (h ^ (h >> 13)) * 0xC2B2AE35 & M
    return h ^ (h >> 16)


def absorb(h, block):
    k = rotate(block * 0xCC9E2D51 & M, 15) * 0x1B873593 & M
    return (rotate(h ^ k, 13) * 5 + 0xE6546B64) & M


def absorb_number(h, value):
    return absorb(absorb(h, value & M), (value >> 32) & M)


def derive(seed, *keys):
    h = absorb_number(0, seed)
    for key in keys:
        if isinstance(key, str):
            h = absorb(h, 1)
            for character in key:
                h = absorb(h, ord(character))
            h = absorb(h, len(key))
        else:
            h = absorb_number(absorb(h, 2), key)
    return mix(h) & 0x7FFFFFFF or 1


class Sfc32:
    """Chris Doty-Humphrey's sfc32: a + b + counter is the output."""

    def __init__(self, seed):
        self.a, self.b, self.c = (mix(absorb_number(salt, seed)) for salt in (1, 2, 3))
        self.counter = 1
        for _ in range(12):
            self.next()

    def next(self):
        out = (self.a + self.b + self.counter) & M
        self.counter = (self.counter + 1) & M
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & M
        self.c = (rotate(self.c, 21) + out) & M
        return out


def draws(seed):
    generator = Sfc32(seed)
    return [generator.next() for _ in range(1000)][-8:]


keys = [[0], [1], [-1], [0, "a"], [0, "b"], [0, "ab", 3], [0, "a", "b"], [7, "encoder1/conv", 12], [2**40 + 5, 2**33], [0, 1], [0, "1"], [0, -3]]
seeds = [0, 1, 2, -1, 2**31, 2**40 + 5]
data = {"derived": [[k, derive(*k)] for k in keys], "draws": [[s, draws(s)] for s in seeds]}
Path(__file__).with_suffix(".json").write_text(json.dumps(data) + "\n")
