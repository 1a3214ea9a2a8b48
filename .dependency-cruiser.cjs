// The one direction of imports (docs/architecture.md): each room may import the rooms listed for it, and nothing else of src/.
const leaf = ['spec', 'runtime'];
const rooms = {
  // Of runtime, only the errors.
  spec: ['runtime/errors.ts'],
  runtime: [],
  ops: leaf,
  kernels: ['engine', 'ops', ...leaf],
  layers: ['ops', ...leaf],
  models: ['layers', 'ops', ...leaf],
  losses: leaf,
  metrics: leaf,
  complexity: ['layers', ...leaf],
  figures: ['complexity', 'layers', ...leaf],
  augment: leaf,
  data: leaf,
  optimizers: leaf,
  engine: leaf,
  plan: ['engine', 'layers', 'optimizers', ...leaf],
  inference: ['plan', 'models', 'layers', 'data', 'metrics', ...leaf],
  training: [
    'plan',
    'inference',
    'models',
    'layers',
    'losses',
    'metrics',
    'augment',
    'data',
    'optimizers',
    'complexity',
    ...leaf,
  ],
  charts: leaf,
  // Hangs drawings into what the rooms return.
  notebook: ['charts', 'study', 'training', 'inference', 'complexity', 'data', ...leaf],
  study: [
    'charts',
    'plan',
    'optimizers',
    'training',
    'inference',
    'models',
    'losses',
    'data',
    'metrics',
    'complexity',
    ...leaf,
  ],
  benchmark: [
    ...['training', 'inference', 'plan', 'engine', 'models', 'losses', 'data', 'complexity', 'optimizers'],
    ...leaf,
  ],
  // The command starts backends, so it imports their entries as a user of the package would.
  cli: [
    ...[
      'benchmark',
      'study',
      'training',
      'inference',
      'models',
      'data',
      'losses',
      'metrics',
      'complexity',
      'augment',
      'figures',
      ...leaf,
    ],
    ...['wasm.ts', 'webgpu.ts', 'tensorflow.ts'],
  ],
};
const escaped = (path) => path.replace('.', '\\.');
const allowed = Object.entries(rooms).map(([room, targets]) => ({
  name: `${room}-imports-one-way`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: {
    path: '^src/',
    pathNot: `^src/(${[room, ...targets].map((target) => (target.endsWith('.ts') ? `${escaped(target)}$` : `${target}/`)).join('|')})`,
  },
}));

/** Packages that decode files, check documents or draw on a terminal: no page that imports the core should carry them. */
const heavy = '^node_modules/(zod|commander|cli-progress|fast-png|tiff|jpeg-js|@observablehq|linkedom)/';

module.exports = {
  forbidden: [
    ...allowed,
    {
      name: 'every-room-has-a-rule',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(rooms).join('|')})/` },
      to: {},
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core-imports-no-backend',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(kernels|wasm\\.ts|webgpu\\.ts|tensorflow\\.ts|cli|cli\\.ts)' },
      to: { path: 'tfjs-(backend|node)' },
    },
    {
      name: 'core-carries-no-heavy-package',
      severity: 'error',
      from: { path: '^src/(index|wasm|webgpu|tensorflow)\\.ts$' },
      to: { path: heavy, reachable: true },
    },
    {
      name: 'node-built-ins-only-where-files-are',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(data/files|training/files|study/files|cli)(/|\\.ts)|^src/(files|cli)\\.ts',
      },
      // A type costs nothing at run time.
      to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only', 'type-import'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
