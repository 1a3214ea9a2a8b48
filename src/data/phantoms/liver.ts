/**
 * The liver phantom, of middle difficulty: a large organ among others of the same brightness (spleen, stomach, kidneys,
 * muscle), like a CT slice of the abdomen. The liver is told by its extent, its place and its mottled texture.
 */
import type { Random } from '../../runtime/random.js';
import { type Blob, between, cover, depth, mix, scaled, smoothNoise, texture } from './fields.js';
import type { Scene } from './scene.js';

const air = 10;
const fat = 85;
const organ = 140;
const bone = 225;

const smooth = 'smooth';
const banded = 'banded';
const hollow = 'hollow';

export function liverScene(random: Random, size: number): Scene {
  const body = { u: between(random, 0.48, 0.52), v: between(random, 0.48, 0.52) };
  const a = between(random, 0.43, 0.46);
  const b = between(random, 0.34, 0.38);
  const outline = depth({ ...body, a, b, uneven: scaled(smoothNoise(random, 4), 0.03) });
  const at = (blob: Blob): Blob => ({
    ...blob,
    u: body.u + blob.u + between(random, -0.02, 0.02),
    v: body.v + blob.v + between(random, -0.02, 0.02),
    a: blob.a * between(random, 0.88, 1.12),
    b: blob.b * between(random, 0.88, 1.12),
    turn: between(random, -0.15, 0.15),
    uneven: scaled(smoothNoise(random, 7), 0.12),
  });
  const rightLobe = depth(at({ u: -0.17, v: -0.04, a: 0.18, b: 0.19 }));
  const leftLobe = depth(at({ u: 0.02, v: -0.13, a: 0.14, b: 0.07 }));
  const others = [
    { blob: at({ u: 0.26, v: 0.03, a: 0.075, b: 0.11 }), look: smooth },
    { blob: at({ u: 0.2, v: -0.14, a: 0.1, b: 0.075 }), look: banded },
    { blob: at({ u: -0.14, v: 0.19, a: 0.06, b: 0.075 }), look: hollow },
    { blob: at({ u: 0.16, v: 0.19, a: 0.06, b: 0.075 }), look: hollow },
    { blob: at({ u: 0.03, v: 0.02, a: 0.07, b: 0.04 }), look: smooth },
  ].map(({ blob, look }) => ({ inside: depth(blob), look, level: organ + between(random, -7, 7) }));
  const spine = depth({ u: body.u, v: body.v + b * 0.55, a: 0.055, b: 0.05 });
  const aorta = depth({ u: body.u + 0.02, v: body.v + b * 0.55 - 0.085, a: 0.022, b: 0.022 });
  const level = organ + between(random, -7, 7);
  const bias = smoothNoise(random, 2);
  const fatTexture = smoothNoise(random, 12);
  const bands = smoothNoise(random, 10);
  // Mottles of about four pixels at small sizes, so that they survive, and of 1/64 of the image at large ones.
  const mottles = texture(random, Math.min(64, Math.round(size / 3)));

  const vessels = Array.from({ length: 9 }, () =>
    depth({
      u: body.u + between(random, -0.3, 0.06),
      v: body.v + between(random, -0.18, 0.1),
      a: between(random, 0.02, 0.06),
      b: between(random, 0.006, 0.011),
      turn: between(random, -1, 1),
    }),
  );

  return {
    noise: 9,
    render: (u, v) => {
      const inBody = outline(u, v);
      let value = mix(air, fat + 8 * fatTexture(u, v), cover(inBody, 0.01));
      let foreground = false;
      if (inBody > 0) {
        // The muscle of the wall is as bright as the organs.
        const wall = cover(inBody - 0.025, 0.01) * cover(0.065 - inBody, 0.01);
        value = mix(value, organ, wall);
        for (const { inside, look, level: own } of others) {
          const here = inside(u, v);
          if (here < -0.02) continue;
          let tone = own;
          if (look === banded) tone += 16 * bands(u, v);
          if (look === hollow) tone += here > 0.035 ? -30 : 8;
          value = mix(value, tone, cover(here, 0.012));
        }
        const inLiver = Math.max(rightLobe(u, v), leftLobe(u, v));
        const gap = Math.min(inLiver, inBody - 0.072);
        if (gap > -0.02) {
          // A thin layer of fat parts the liver from its neighbours.
          value = mix(value, fat, cover(gap + 0.012, 0.01));
          let tone = level + 26 * mottles(u, v);
          for (const vessel of vessels) tone = mix(tone, level - 28, cover(vessel(u, v), 0.008));
          value = mix(value, tone, cover(gap, 0.01));
          foreground = gap > 0;
        }
        value = mix(value, bone, cover(spine(u, v), 0.012));
        value = mix(value, organ + 30, cover(aorta(u, v), 0.01));
      }
      return { value: value + 9 * bias(u, v), foreground };
    },
  };
}
