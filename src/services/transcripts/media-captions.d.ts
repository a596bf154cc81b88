// The package's own declarations import each other without file endings, which Node's module resolution refuses.
declare module 'media-captions' {
  export interface VTTCue {
    startTime: number;
    endTime: number;
    text: string;
  }
  export type VTTNode =
    | { type: 'text'; data: string }
    | { type: 'v'; voice?: string; children: VTTNode[] }
    | { type: 'b' | 'c' | 'i' | 'u' | 'lang' | 'ruby' | 'rt' | 'timestamp'; children: VTTNode[] };
  export interface ParseError {
    code: number;
    line: number;
    reason: string;
  }
  export function parseText(
    text: string,
    options: { type: 'vtt'; strict: boolean },
  ): Promise<{ cues: VTTCue[]; errors: ParseError[] }>;
  export function tokenizeVTTCue(cue: VTTCue): VTTNode[];
}
