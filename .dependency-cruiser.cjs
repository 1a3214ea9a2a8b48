// The one direction of imports (docs/architecture.md): each room may import the rooms listed for it, and nothing else of src/.
const leaf = ['spec', 'runtime'];
const rooms = {
  spec: [],
  runtime: [],
  ops: ['spec', 'runtime'],
  kernels: ['ops', 'spec', 'runtime'],
  layers: ['ops', ...leaf],
  models: ['layers', 'ops', ...leaf],
  losses: leaf,
  metrics: leaf,
  complexity: ['layers', ...leaf],
  augment: leaf,
  data: leaf,
  optimizers: leaf,
  inference: ['models', 'layers', 'data', 'metrics', ...leaf],
  training: ['inference', 'models', 'layers', 'losses', 'metrics', 'augment', 'data', 'optimizers', 'complexity', ...leaf],
  study: ['training', 'inference', 'models', 'data', 'metrics', 'complexity', ...leaf],
  cli: ['study', 'training', 'inference', 'models', 'data', 'losses', 'metrics', 'complexity', 'augment', ...leaf],
};
const allowed = Object.entries(rooms).map(([room, targets]) => ({
  name: `${room}-imports-one-way`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...targets].join('|')})/` },
}));
module.exports = {
  forbidden: [
    ...allowed,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'core-imports-no-backend',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(kernels|wasm\\.ts|webgpu\\.ts|tensorflow\\.ts|cli|cli\\.ts)' },
      to: { path: 'tfjs-(backend|node)' },
    },
    {
      name: 'node-built-ins-only-where-files-are',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(data/files|training/files|cli)(/|\\.ts)|^src/(files|cli)\\.ts' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
