// The program as esbuild sees it: one script, the modules in it, and the parts that it asks for
// when it first uses them. A part is a module of which something is asked for as
// `(await import('...')).NAME`, in no other form, and bears the name of its file; what it shares
// with others does not go with it. Nothing here writes a file.

import { basename, extname, join, relative } from 'node:path';
import { type ecmaVersion, type Program, parse } from 'acorn';
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from 'esbuild';
import { callFor, type Piece, piecesOf, type Root } from './cut.ts';
import { freeNames, nodesOf } from './globals.ts';
import { globalOf, hoisted } from './hoisted.ts';
import { shortMembers } from './members.ts';
import { withoutGlobals } from './packages.ts';

/** Where the program begins (a module that exports `boot`), and what it holds. */
export interface FirmwareSource {
  readonly root: string;
  readonly entry: string;
  /** A module in place of platform/quickjs/contents.ts: see `contentsModule`. */
  readonly contents?: string;
}

/** The program with all its parts. */
export interface Whole {
  /**
   * Its declarations in order; what is exported is listed in `boot` and `roots`. It is taken apart
   * when that is first asked for, because what may not be in it may not come apart either.
   */
  readonly pieces: readonly Piece[];
  /** Edition of ECMAScript that it is written in. */
  readonly syntax: number;
  /** The declaration of what the entry exports as `boot`. */
  readonly boot: string;
  /** The parts, one that asks for others before these. */
  readonly roots: readonly Root[];
  /** Names that it does not declare, the language's own among them. */
  readonly globals: readonly string[];
  /** Modules by path below the root, in the order in which the language evaluates them. */
  readonly modules: readonly string[];
  readonly inputs: Metafile['inputs'];
  /** Bytes of the output by module. */
  readonly bytesOf: ReadonlyMap<string, number>;
}

/**
 * Reads the whole program from its entry; `members`: what it calls a member instead. Errors:
 * esbuild's, one line each; imports that go round in a circle; an `import()` in another form;
 * syntax newer than asked for (an edition of ECMAScript).
 */
export async function readProgram(
  source: FirmwareSource,
  syntax: number,
  members = shortMembers,
): Promise<Whole> {
  /** In the order in which they were found. */
  const asked: Asked[] = [];
  for (;;) {
    const built = await bundle(source, asked, options(source.root, syntax, members));
    const known = asked.length;
    for (const one of askedIn(outputOf(built).text)) {
      const others = asked.filter(({ path }) => path === one.path);
      if (!others.some(({ name }) => name === one.name)) asked.push(one);
    }
    if (asked.length === known) return wholeOf(source, built, syntax, asked);
  }
}

/** What is asked for of a part: `name` of the module `path`. */
interface Asked {
  readonly path: string;
  readonly name: string;
}

async function bundle(
  { root, entry, contents }: FirmwareSource,
  asked: readonly Asked[],
  others: ReturnType<typeof options>,
) {
  const lines = asked.map(({ path, name }, at) => `export { ${name} as $${at} } from './${path}';`);
  return build({
    ...others,
    stdin: {
      contents: [`export { boot } from './${entry}';`, ...lines].join('\n'),
      resolveDir: root,
      sourcefile: SEAM,
    },
    plugins: [asParts(root), inPlaceOfContents(contents), withoutGlobals],
  });
}

/** The module that joins the entry and the parts; it holds nothing itself. */
const SEAM = 'firmware.mts';
/** See `ASKED`. */
const PART = 'part:';

type Built = BuildResult<ReturnType<typeof options>>;

function options(root: string, syntax: number, members: typeof shortMembers) {
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
    target: `es${syntax}`,
    legalComments: 'none',
    define: hoisted,
    mangleCache: members,
    mangleProps: new RegExp(`^(${Object.keys(members).join('|')})$`),
    outdir: '/',
    logLevel: 'silent',
  } as const satisfies BuildOptions;
}

/** What is asked for by `import()` keeps its place, by module path, and is read as a part. */
function asParts(root: string): Plugin {
  return {
    name: 'as parts',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) =>
        kind === 'dynamic-import'
          ? { path: PART + relative(root, join(resolveDir, path)), external: true }
          : undefined,
      );
    },
  };
}

function inPlaceOfContents(contents: string | undefined): Plugin {
  return {
    name: 'in place of contents',
    setup({ onLoad }) {
      if (contents === undefined) return;
      onLoad({ filter: /[\\/]platform[\\/]quickjs[\\/]contents\.ts$/ }, () => ({
        contents,
        loader: 'ts',
      }));
    },
  };
}

/** What is asked for of a part, as esbuild writes it. */
const ASKED = /\(await import\("part:([^"]+)"\)\)\.([\w$]+)/g;

/** In order. */
function askedIn(text: string): Asked[] {
  return [...text.matchAll(ASKED)].map(([, path = '', name = '']) => ({ path, name }));
}

function checkImports(code: string, program: Program): void {
  for (const node of nodesOf(program)) {
    // What is computed is a name from outside: see globals.ts.
    if (node.type !== 'ImportExpression' || node.source.type !== 'Literal') continue;
    throw new Error(`${code.slice(node.start, node.end)}: not (await import(...)).NAME`);
  }
}

/** A pattern that is too new for `syntax` is no error to esbuild: it leaves it to the engine. */
function checkPatterns(program: Program, syntax: number): void {
  for (const node of nodesOf(program)) {
    if (node.type !== 'NewExpression' || node.callee.type !== 'Identifier') continue;
    if (node.callee.name !== 'RegExp') continue;
    const [pattern = '', flags = ''] = node.arguments.map((one) =>
      one.type === 'Literal' ? String(one.value) : '',
    );
    try {
      parsed(`/${pattern || ' '}/${flags}`, syntax);
    } catch {
      throw new Error(`/${pattern}/${flags}: newer than ECMAScript ${syntax}`);
    }
  }
}

function wholeOf(
  { entry }: FirmwareSource,
  built: Built,
  syntax: number,
  asked: readonly Asked[],
): Whole {
  const code = withRegistry(outputOf(built).text, asked);
  const program = parsed(code, syntax);
  checkImports(code, program);
  checkPatterns(program, syntax);
  let pieces: readonly Piece[] | undefined;
  const locals = exportsOf(program);
  const { inputs, outputs } = built.metafile;
  const [output] = Object.values(outputs);
  const modules = evaluationOrder(inputs, [entry, ...asked.map(({ path }) => path)]);
  return {
    get pieces() {
      pieces ??= piecesOf(code, program);
      return pieces;
    },
    syntax,
    boot: locals.get('boot') ?? '',
    roots: rootsOf(asked, locals),
    globals: freeNames(program)
      .map(({ name }) => globalOf(name))
      .filter((name) => name !== 'registry'),
    modules,
    inputs,
    bytesOf: new Map(modules.map((path) => [path, output?.inputs[path]?.bytesInOutput ?? 0])),
  };
}

function rootsOf(asked: readonly Asked[], exported: ReadonlyMap<string, string>): Root[] {
  const paths = new Map<string, string>();
  const parts = new Map<string, string[]>();
  for (const [at, { path }] of asked.entries()) {
    const part = partName(path);
    const other = paths.get(part) ?? path;
    if (other !== path) throw new Error(`two parts are called ${part}: ${other} and ${path}`);
    paths.set(part, path);
    parts.set(part, [...(parts.get(part) ?? []), exported.get(`$${at}`) ?? '']);
  }
  return [...parts].map(([name, locals]) => {
    const members = locals.map((local, at) => `${memberAt(at)}:${local}`);
    return { name, locals, left: locals.length === 1 ? `${locals}` : `{${members}}` };
  });
}

/** That of the module's file. */
function partName(path: string): string {
  return basename(path, extname(path));
}

/** A name in what a part leaves: shorter than the export's, which nobody outside needs. */
function memberAt(index: number): string {
  return `$${index.toString(36)}`;
}

/** `import()` as a call of the registry, in which scripts leave what they are loaded for. */
function withRegistry(text: string, asked: readonly Asked[]): string {
  return text.replace(ASKED, (_, path: string, name: string) => {
    const names = asked.filter((one) => one.path === path).map((one) => one.name);
    const member = names.length === 1 ? '' : `.${memberAt(names.indexOf(name))}`;
    return `(await ${callFor(partName(path))})${member}`;
  });
}

/** The declarations behind the exported names. */
function exportsOf({ body }: Program): ReadonlyMap<string, string> {
  const locals = new Map<string, string>();
  for (const node of body) {
    if (node.type !== 'ExportNamedDeclaration') continue;
    for (const { local, exported } of node.specifiers) {
      if (local.type !== 'Identifier' || exported.type !== 'Identifier') continue;
      locals.set(exported.name, local.name);
    }
  }
  return locals;
}

function outputOf(built: Built) {
  const [file] = built.outputFiles;
  if (!file) throw new Error('esbuild made no output');
  return file;
}

function parsed(code: string, syntax: number): Program {
  return parse(code, { ecmaVersion: syntax as ecmaVersion, sourceType: 'module' });
}

/** Depth first, imports in their order: what ECMAScript does with modules. */
function evaluationOrder(inputs: Metafile['inputs'], first: readonly string[]): string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const walk = (module: string, path: readonly string[]): void => {
    if (state.get(module) === 'open') {
      throw new Error(`imports go round in a circle: ${[...path, module].join(' -> ')}`);
    }
    if (state.has(module)) return;
    state.set(module, 'open');
    for (const one of inputs[module]?.imports ?? []) {
      if (!one.external) walk(one.path, [...path, module]);
    }
    state.set(module, 'done');
    order.push(module);
  };
  for (const module of first) walk(module, []);
  return order;
}
