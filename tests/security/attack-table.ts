import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What the suite promises at the least. */
const FEWEST = 300;

interface Count {
  attempts: number;
  through: number;
}

function countByClass(modules: readonly TestModule[]): Map<string, Count> {
  const counts = new Map<string, Count>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { attack } = test.meta();
      if (attack === undefined) continue;
      const count = counts.get(attack) ?? { attempts: 0, through: 0 };
      count.attempts += 1;
      if (test.result().state !== 'passed') count.through += 1;
      counts.set(attack, count);
    }
  }
  return counts;
}

/** Prints how many attempts of each class were made and how many got through; too few of them fail the run. */
export default class AttackTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = [...countByClass(modules)].sort(([a], [b]) => a.localeCompare(b));
    const sum = counts.reduce(
      (all, [, { attempts, through }]) => ({ attempts: all.attempts + attempts, through: all.through + through }),
      { attempts: 0, through: 0 },
    );
    const rows = [...counts, ['all', sum] as const].map(
      ([name, { attempts, through }]) => `| ${name.padEnd(46)} | ${pad(attempts)} | ${pad(through)} |`,
    );
    const table = [
      `| ${'attack'.padEnd(46)} | attempts | through  |`,
      `|${'-'.repeat(48)}|${'-'.repeat(9)}:|${'-'.repeat(9)}:|`,
      ...rows,
    ];
    writeSync(1, `\n${table.join('\n')}\n`);
    if (sum.attempts >= FEWEST) return;
    writeSync(2, `Only ${sum.attempts} attempts: at least ${FEWEST} are promised.\n`);
    process.exitCode = 1;
  }
}

const pad = (count: number) => String(count).padStart(8);
