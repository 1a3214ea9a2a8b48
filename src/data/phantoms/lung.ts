/**
 * The lung phantom, the easiest: two dark lungs with blurred borders in a body, like a CT slice of the chest. The air
 * around the body is as dark as the lungs, and vessels in the lungs are as bright as the body, so that brightness alone
 * does not tell the lungs.
 */
import type { Random } from '../../runtime/random.js';
import { type Blob, between, cover, depth, type Field, mix, scaled, smoothNoise } from './fields.js';
import type { Scene } from './scene.js';

const air = 30;
const tissue = 165;
const bone = 230;

export function lungScene(random: Random): Scene {
  const body = { u: between(random, 0.48, 0.52), v: between(random, 0.48, 0.52), a: between(random, 0.42, 0.46) };
  const b = between(random, 0.31, 0.36);
  const outline = depth({ ...body, b, uneven: scaled(smoothNoise(random, 4), 0.04) });
  const lungs = [-1, 1].map((side) => depth(lung(random, { side, u: body.u, v: body.v })));
  const vessels = scatter(random, 40, { ...body, b });
  const gas = scatter(random, 3, { u: body.u, v: body.v + b * 0.5, a: body.a * 0.5, b: b * 0.25 }).map((blob) =>
    depth({ ...blob, a: blob.a * 2.5, b: blob.b * 2.5 }),
  );
  const bones = skeleton(random, { ...body, b });
  const texture = smoothNoise(random, 24);
  const muscle = smoothNoise(random, 9);
  const lungTexture = smoothNoise(random, 14);
  const vesselDepths = vessels.map(depth);
  const table = depth({ u: 0.5, v: body.v - 0.55, a: 1.1, b: 0.55 + b + 0.05 });

  return {
    noise: 12,
    render: (u, v) => {
      const inBody = outline(u, v);
      let value = mix(air + 4 * texture(u, v), tissue + 14 * muscle(u, v), cover(inBody, 0.012));
      if (inBody > 0) {
        // Fat under the skin.
        value = mix(value, 128, cover(0.03 - inBody, 0.01) * cover(inBody, 0.012));
        for (const each of bones) value = mix(value, bone, cover(each(u, v), 0.012));
        for (const each of gas) value = mix(value, air, cover(each(u, v), 0.01));
      } else {
        const under = table(u, v);
        value = mix(value, 150, cover(under, 0.006) * cover(0.012 - under, 0.006) * (v > body.v ? 1 : 0));
      }
      const inLung = Math.max(lungs[0](u, v), lungs[1](u, v));
      if (inLung > -0.03) {
        let inside = air + 10 * lungTexture(u, v);
        for (const vessel of vesselDepths) inside = mix(inside, tissue - 5, cover(vessel(u, v), 0.01));
        value = mix(value, inside, cover(inLung, 0.045));
      }
      return { value, foreground: inLung > 0 };
    },
  };
}

interface Centre {
  readonly u: number;
  readonly v: number;
}

function lung(random: Random, { side, u, v }: Centre & { side: number }): Blob {
  return {
    u: u + side * between(random, 0.175, 0.2),
    v: v + between(random, -0.04, 0),
    a: between(random, 0.115, 0.145),
    b: between(random, 0.19, 0.23),
    turn: side * between(random, 0, 0.09),
    uneven: scaled(smoothNoise(random, 6), 0.16),
  };
}

/** Small discs at random in an ellipse. */
function scatter(random: Random, count: number, area: Centre & { a: number; b: number }): Blob[] {
  return Array.from({ length: count }, () => {
    const radius = between(random, 0.006, 0.016);
    return {
      u: area.u + area.a * between(random, -0.8, 0.8),
      v: area.v + area.b * between(random, -0.8, 0.8),
      a: radius,
      b: radius * between(random, 0.7, 1.6),
      turn: between(random, -0.8, 0.8),
    };
  });
}

/** Spine and ribs: the ribs lie on an ellipse inside the body, at positions given without angles. */
function skeleton(random: Random, body: Centre & { a: number; b: number }): Field[] {
  const spine: Blob = { u: body.u, v: body.v + body.b * 0.62, a: 0.045, b: 0.04 };
  const ribs: Blob[] = [];
  for (let i = -6; i <= 6; i++) {
    for (const half of [-1, 1]) {
      const t = (i + between(random, -0.25, 0.25)) / 6;
      const across = Math.max(-1, Math.min(1, t));
      ribs.push({
        u: body.u + 0.87 * body.a * across,
        v: body.v + half * 0.86 * body.b * Math.sqrt(1 - across * across),
        a: 0.022,
        b: 0.011,
        turn: half * across * 0.5,
      });
    }
  }
  return [spine, ...ribs].map(depth);
}
