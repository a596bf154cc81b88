import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Stage } from './dockerfile.ts';

export interface ContainerOptions {
  stage: Stage;
  /** The root folder that was built for the stage. */
  root: string;
  /** The folder in which `node` is the one of the image. */
  nodeFolder: string;
  /** All that the process finds in its environment, besides what the image sets. */
  env: Record<string, string>;
}

/** A process as a container of the image would run it. */
export interface Container {
  child: ChildProcess;
  output(): string;
  /** The exit code, once the process and its pipes have ended. */
  ended: Promise<number | null>;
}

/** Only root may become somebody else; anybody else stays who they are. */
function asUser(user: string | undefined): string[] {
  if (user === undefined || process.getuid?.() !== 0) return [];
  const [uid, gid = uid] = user.split(':');
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--'];
}

/** Starts a command as the image's user in the image's folder, with no folder that it could write to. */
export function startContainer(words: string[], { stage, root, nodeFolder, env }: ContainerOptions): Container {
  const [program = '', ...args] = [...asUser(stage.user), ...words];
  const child = spawn(program, args, {
    cwd: join(root, stage.workdir),
    env: { PATH: `${nodeFolder}:/usr/bin:/bin`, HOME: '/nonexistent', TMPDIR: '/nonexistent', ...stage.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const pipe of [child.stdout, child.stderr])
    pipe.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return { child, output: () => output, ended: once(child, 'close').then(([code]) => code as number | null) };
}

/** Runs a command to its end, and returns what it said. @throws where its exit code is not 0 */
export async function runContainer(words: string[], options: ContainerOptions): Promise<string> {
  const { ended, output } = startContainer(words, options);
  const code = await ended;
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}\n${output()}`);
  return output();
}
