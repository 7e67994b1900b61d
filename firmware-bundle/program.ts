// The program as esbuild sees it, and how a run of its modules becomes one script.
// A script is a function of `registry`: it takes the names of earlier scripts from there and
// leaves there the names that later ones ask for. So a module is in exactly one script, and what
// it holds exists once. Nothing here writes a file.

import { relative } from 'node:path';
import { type Identifier, type ImportDeclaration, type Literal, parse } from 'acorn';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** Modules by path below the root, in the order in which the language evaluates them. */
export type Modules = readonly string[];

/** What esbuild told: per module its imports, and its size in the output. */
export interface Graph {
  readonly root: string;
  readonly entry: string;
  readonly modules: Modules;
  readonly inputs: Metafile['inputs'];
}

export interface Script {
  readonly code: string;
  readonly modules: Modules;
  /** Bytes of the output by module. */
  readonly bytesOf: ReadonlyMap<string, number>;
}

/** A name that a script takes from the registry, and its key there. */
export type Wanted = Map<string, { module: string; name: string; key: string }>;

/**
 * Globals that the packages probe for: with the answer "there is none" fixed at build time, the
 * probes and the code behind them fall away, and every device runs the same branch.
 */
const NO_GLOBALS: Record<string, string> = {
  ...Object.fromEntries(
    ['self', 'define', 'require', 'Buffer', 'Blob', 'TextEncoder', 'TextDecoder'].map((name) => [
      name,
      'undefined',
    ]),
  ),
  globalThis: 'null',
  'globalThis.Buffer': 'undefined',
};

/** Reads the whole program from its entry. Errors: esbuild's, one line each; a cycle of imports. */
export async function readGraph(root: string, entry: string, target: string): Promise<Graph> {
  const { metafile } = await build({ ...options(root, target), entryPoints: [entry] });
  return { root, entry, inputs: metafile.inputs, modules: evaluationOrder(metafile.inputs, entry) };
}

/** Cuts the evaluation order into runs of at most `bytesMax` (or one module): none needs a later one. */
export function cut(
  modules: Modules,
  bytesOf: ReadonlyMap<string, number>,
  bytesMax: number,
): Modules[] {
  const runs: string[][] = [];
  let run: string[] = [];
  let bytes = 0;
  for (const module of modules) {
    const size = bytesOf.get(module) ?? 0;
    if (run.length > 0 && bytes + size > bytesMax) {
      runs.push(run);
      run = [];
      bytes = 0;
    }
    run.push(module);
    bytes += size;
  }
  return [...runs, run];
}

/**
 * One script of `modules`. `wanted` lists what scripts after this one take, and grows by what this
 * one takes: so scripts are made from the last to the first. The script that holds the entry
 * returns `boot`.
 */
export async function makeScript(
  graph: Graph,
  modules: Modules,
  target: string,
  wanted: Wanted,
): Promise<Script> {
  const inside = new Set(modules);
  const given = [...wanted.values()].filter(({ module }) => inside.has(module));
  const contents = [
    ...modules.map((module) => `import ${JSON.stringify(`./${module}`)};`),
    ...given.map(
      ({ module, name, key }) =>
        `export ${name === '*' ? `* as ${key}` : `{ ${name} as ${key} }`} from ${JSON.stringify(`./${module}`)};`,
    ),
    inside.has(graph.entry) ? `export { boot } from ${JSON.stringify(`./${graph.entry}`)};` : '',
  ].join('\n');
  const { outputFiles, metafile } = await build({
    ...options(graph.root, target),
    stdin: { contents, resolveDir: graph.root, sourcefile: 'script.mts' },
    plugins: [elsewhere(graph, inside)],
  });
  const [file] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (!file || !output) throw new Error('esbuild made no output');
  return {
    code: asFunction(file.text, wanted),
    modules,
    bytesOf: new Map(modules.map((path) => [path, output.inputs[path]?.bytesInOutput ?? 0])),
  };
}

function options(root: string, target: string) {
  return {
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    // No Node built-in resolves on this platform.
    platform: 'neutral',
    mainFields: ['main'],
    target,
    define: NO_GLOBALS,
    drop: ['console'],
    legalComments: 'none',
    outdir: '/',
    logLevel: 'silent',
  } as const satisfies BuildOptions;
}

/** Imports of modules outside of this script stay imports, by module path. */
function elsewhere(graph: Graph, inside: ReadonlySet<string>): Plugin {
  return {
    name: 'elsewhere',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, importer }) => {
        const from = graph.inputs[relative(graph.root, importer)];
        const to = from?.imports.find((one) => one.original === path)?.path;
        return to === undefined || inside.has(to) ? undefined : { path: to, external: true };
      });
    },
  };
}

/** Depth first, imports in their order: what ECMAScript does with modules. */
function evaluationOrder(inputs: Metafile['inputs'], entry: string): Modules {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const walk = (module: string, path: readonly string[]): void => {
    if (state.get(module) === 'open') {
      throw new Error(`imports go round in a circle: ${[...path, module].join(' -> ')}`);
    }
    if (state.has(module)) return;
    state.set(module, 'open');
    for (const one of inputs[module]?.imports ?? []) {
      if (one.kind === 'dynamic-import') throw new Error(`${module}: import() of ${one.path}`);
      if (!one.external) walk(one.path, [...path, module]);
    }
    state.set(module, 'done');
    order.push(module);
  };
  walk(entry, []);
  return order;
}

/** Turns esbuild's ES module into `(function (registry) { ... })`. */
function asFunction(code: string, wanted: Wanted): string {
  const head: string[] = [];
  const tail: string[] = [];
  const body: string[] = [];
  let result = '';
  const keyOf = (module: string, name: string): string => {
    const id = `${module} ${name}`;
    const known = wanted.get(id) ?? { module, name, key: `n${wanted.size}` };
    wanted.set(id, known);
    return known.key;
  };
  for (const node of parse(code, { ecmaVersion: 'latest', sourceType: 'module' }).body) {
    if (node.type === 'ImportDeclaration') {
      for (const one of node.specifiers) {
        const key = keyOf(String(node.source.value), importedName(one));
        head.push(`${one.local.name}=registry.${key}`);
      }
    } else if (node.type === 'ExportNamedDeclaration' && !node.declaration) {
      for (const { local, exported } of node.specifiers) {
        const name = nameOf(local);
        const value = node.source ? `registry.${keyOf(String(node.source.value), name)}` : name;
        if (nameOf(exported) === 'boot') result = `return ${value}`;
        else tail.push(`registry.${nameOf(exported)}=${value};`);
      }
    } else {
      body.push(code.slice(node.start, node.end));
    }
  }
  const taken = head.length > 0 ? `var ${head.join(',')};` : '';
  return `(function(registry){"use strict";${taken}${body.join('\n')}\n${tail.join('')}${result}})\n`;
}

function importedName(one: ImportDeclaration['specifiers'][number]): string {
  if (one.type === 'ImportSpecifier') return nameOf(one.imported);
  return one.type === 'ImportNamespaceSpecifier' ? '*' : 'default';
}

function nameOf(node: Identifier | Literal): string {
  return node.type === 'Identifier' ? node.name : String(node.value);
}
