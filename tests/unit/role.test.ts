import { describe, expect, it } from 'vitest';
import { readRole } from '../../src/role.ts';

describe('the role of a process', () => {
  it.each([
    [[], 'all'],
    [['--role=all'], 'all'],
    [['--role=server'], 'server'],
    [['--role', 'worker'], 'worker'],
  ])('%j is %s', (args, role) => expect(readRole(args)).toBe(role));

  it.each([
    [['--role='], /^--role must be all, server, worker; it is ""\.$/],
    [['--role=Worker'], /it is "Worker"/],
    [['--role'], /^Option '--role <value>' argument missing/],
    [['--rolle=worker'], /^Unknown option '--rolle'/],
    [['worker'], /^Unexpected argument 'worker'/],
  ])('%j is refused with one line', (args, message) => {
    expect(() => readRole(args)).toThrow(
      expect.objectContaining({ name: 'ConfigError', message: expect.stringMatching(message) }),
    );
    expect(() => readRole(args)).toThrow(/^.+$/);
  });
});
