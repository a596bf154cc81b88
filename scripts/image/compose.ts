import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What is read here of a service of compose.yaml. */
export interface ComposeService {
  image: string;
  build?: { target: string };
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string | null>;
  profiles?: string[];
  ports?: string[];
  volumes?: string[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  network_mode?: string;
  stop_grace_period?: string;
  healthcheck?: { disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
}

/** compose.yaml with its anchors resolved; variables are left as they are. */
export function readCompose(project: string): {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
} {
  return parse(readFileSync(join(project, 'compose.yaml'), 'utf8'), { merge: true });
}
