import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, posix, relative } from 'node:path';
import { readIgnore } from './context.ts';
import { copyFolder } from './copy-folder.ts';
import type { Stage, Step } from './dockerfile.ts';
import { installFromProject } from './install.ts';

export interface BuildOptions {
  /** The root of the project, which is the context of the build. */
  project: string;
  /** An empty folder; each stage gets a root of its own in it. */
  into: string;
  /** `npm` does what the Dockerfile says; `copy` takes the packages from the project's node_modules. */
  install: 'npm' | 'copy';
  /** The folder in which `node` is the one of the image. */
  nodeFolder: string;
  onStep?: (stage: string, step: string, seconds: number) => void;
}

/** Copies as COPY does: what a folder holds, or a file to a file, or into a folder that ends with a slash. */
function copyInto(source: string, target: string, keep: (path: string) => boolean): void {
  const isFolder = statSync(source).isDirectory();
  const destination = !isFolder && target.endsWith('/') ? join(target, basename(source)) : target;
  mkdirSync(isFolder ? destination : dirname(destination), { recursive: true });
  cpSync(source, destination, { recursive: true, verbatimSymlinks: true, filter: keep });
}

function run(command: string, cwd: string, { project, install, nodeFolder }: BuildOptions): void {
  if (install === 'copy' && command.startsWith('npm ci ')) {
    installFromProject(project, cwd, command);
    return;
  }
  const env = { ...process.env, PATH: `${nodeFolder}:${process.env.PATH}` };
  const { status, stdout, stderr, error } = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}\n${stdout}${stderr}${error?.message ?? ''}`);
}

/**
 * Does the steps of a Dockerfile without a container engine, up to the stage `target` and only what that needs.
 *
 * @returns the root folder of the target stage
 * @throws where a step fails
 */
export function buildStage(stages: readonly Stage[], target: string, options: BuildOptions): string {
  const { project, into, onStep } = options;
  const ignored = readIgnore(readFileSync(join(project, '.dockerignore'), 'utf8'));
  const inContext = (path: string) => path === project || !ignored(relative(project, path));
  const rootOf = (name: string) => join(into, name);

  const build = (name: string): void => {
    const stage = stages.find((one) => one.name === name);
    if (stage === undefined) throw new Error(`There is no stage ${name}`);
    if (existsSync(rootOf(name))) return;
    for (const needed of [stage.base, ...stage.steps.flatMap((step) => (step.kind === 'copy' ? [step.from] : []))])
      if (needed !== undefined && stages.some((one) => one.name === needed)) build(needed);
    if (existsSync(rootOf(stage.base))) copyFolder(rootOf(stage.base), rootOf(name));
    const folder = join(rootOf(name), stage.workdir);
    mkdirSync(folder, { recursive: true });
    for (const step of stage.steps) {
      const began = performance.now();
      perform(step, stage, folder);
      onStep?.(name, describe(step), (performance.now() - began) / 1000);
    }
  };

  const perform = (step: Step, stage: Stage, folder: string): void => {
    if (step.kind === 'run') {
      run(step.command, folder, options);
      return;
    }
    const { from, sources } = step;
    const target = join(rootOf(stage.name), posix.resolve(stage.workdir, step.target));
    for (const source of sources) {
      const slash = step.target.endsWith('/') ? '/' : '';
      if (from !== undefined) copyFolder(join(rootOf(from), source), target);
      else if (inContext(join(project, source))) copyInto(join(project, source), target + slash, inContext);
      else throw new Error(`COPY ${source}: .dockerignore leaves it out of the context`);
    }
  };

  build(target);
  return rootOf(target);
}

function describe(step: Step): string {
  if (step.kind === 'run') return `RUN ${step.command}`;
  return `COPY ${step.from === undefined ? '' : `--from=${step.from} `}${step.sources.join(' ')} ${step.target}`;
}
