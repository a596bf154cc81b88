import { type Copy, DockerfileParser, type From, type Instruction, type JSONInstruction } from 'dockerfile-ast';

/** What fills the file system of a stage, in order. */
export type Step =
  | { kind: 'copy'; from: string | undefined; sources: string[]; target: string }
  | { kind: 'run'; command: string };

/** One stage of a Dockerfile, with what it says of the processes that run from it. */
export interface Stage {
  name: string;
  /** An image's name, or the name of an earlier stage. */
  base: string;
  workdir: string;
  steps: Step[];
  env: Record<string, string>;
  user: string | undefined;
  entrypoint: string[];
  command: string[];
  /** The command that tells whether a container is well. */
  healthcheck: string[];
}

/** The argument of an instruction as a list of words; only the form that names no shell is understood. */
function execForm(instruction: Instruction): string[] {
  const text = instruction.getArgumentsContent()?.replace(/^CMD\s+/, '') ?? '';
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words)) throw new Error(`${instruction.getKeyword()} is not a JSON list: ${text}`);
  return words.map(String);
}

function copyStep(copy: Copy): Step {
  const paths = copy.getArguments().map((argument) => argument.getValue());
  const from = copy.getFromFlag()?.getValue() ?? undefined;
  return { kind: 'copy', from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '.' };
}

const READERS: Record<string, (stage: Stage, instruction: Instruction) => unknown> = {
  ARG: () => undefined,
  EXPOSE: () => undefined,
  WORKDIR: (stage, instruction) => Object.assign(stage, { workdir: instruction.getArgumentsContent() ?? '/' }),
  COPY: (stage, instruction) => stage.steps.push(copyStep(instruction as Copy)),
  RUN: (stage, instruction) => stage.steps.push({ kind: 'run', command: instruction.getArgumentsContent() ?? '' }),
  USER: (stage, instruction) => Object.assign(stage, { user: instruction.getArgumentsContent() ?? undefined }),
  ENTRYPOINT: (stage, instruction) => Object.assign(stage, { entrypoint: execForm(instruction) }),
  CMD: (stage, instruction) => Object.assign(stage, { command: execForm(instruction) }),
  HEALTHCHECK: (stage, instruction) => {
    const text = (instruction as JSONInstruction).getArgumentsContent() ?? '';
    stage.healthcheck = (JSON.parse(text.slice(text.indexOf('['))) as unknown[]).map(String);
  },
  ENV: (stage, instruction) => {
    for (const argument of instruction.getArguments()) {
      const [name = '', ...value] = argument.getValue().split('=');
      stage.env[name] = value.join('=');
    }
  },
};

/**
 * Reads the stages of a Dockerfile, in order.
 *
 * @throws where an instruction is used that a rehearsal could not do
 */
export function readStages(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') {
      const from = instruction as From;
      const base = from.getImage() ?? '';
      const inherited = stages.find(({ name }) => name === base);
      stages.push({
        workdir: '/',
        user: undefined,
        entrypoint: [],
        command: [],
        healthcheck: [],
        ...inherited,
        steps: [],
        env: { ...inherited?.env },
        name: from.getBuildStage() ?? String(stages.length),
        base,
      });
      continue;
    }
    const stage = stages.at(-1);
    const read = READERS[keyword];
    if (stage === undefined || read === undefined) throw new Error(`${keyword} cannot be rehearsed`);
    read(stage, instruction);
  }
  return stages;
}
