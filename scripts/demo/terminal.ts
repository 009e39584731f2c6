import { stripVTControlCharacters, styleText } from 'node:util';
import type { StepState } from '../../src/cases/step-states.js';

type Style = Parameters<typeof styleText>[0];

const WIDTH = 100;
const MARGIN = '   ';

/** One shape for each state of a step, the same as in the web UI. Green is for what was confirmed, and nothing else. */
const GLYPHS: Readonly<Record<StepState, { shape: string; style: Style }>> = {
  planned: { shape: '○', style: 'dim' },
  held: { shape: '‖', style: 'yellow' },
  ready: { shape: '◔', style: 'dim' },
  running: { shape: '◑', style: 'cyan' },
  confirming: { shape: '◕', style: 'cyan' },
  done: { shape: '●', style: 'green' },
  needs_human: { shape: '▲', style: 'yellow' },
  superseded: { shape: '⤼', style: 'dim' },
  waived: { shape: '⊘', style: 'yellow' },
};

export function glyph(state: StepState): string {
  const { shape, style } = GLYPHS[state];
  return paint(style, shape);
}

/** Colour only on a terminal that wants it: `styleText` looks at isTTY, NO_COLOR and FORCE_COLOR. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** What the demo writes: calm lines, and on a terminal one last line that shows what goes on. */
export class Terminal {
  private transientIsShown = false;

  chapter(title: string, note: string): void {
    this.line('');
    this.line(`${paint('bold', title)}  ${paint('dim', note)}`);
  }

  /** A glyph, a sentence, and at the right edge how long it took. */
  item(mark: string, text: string, aside = ''): void {
    const gap = ' '.repeat(Math.max(2, WIDTH - MARGIN.length - 2 - widthOf(text) - widthOf(aside)));
    this.line(`${MARGIN}${mark} ${text}${aside && `${gap}${paint('dim', aside)}`}`);
  }

  /** Belongs to the item above it. */
  detail(text: string): void {
    this.line(`${MARGIN}  ${paint('dim', text)}`);
  }

  /** What goes on right now: replaced by the next line. Nothing where the output is no terminal. */
  now(text: string): void {
    if (!process.stdout.isTTY) return;
    this.clearTransient();
    process.stdout.write(`${MARGIN}${text}`);
    this.transientIsShown = true;
  }

  line(text: string): void {
    this.clearTransient();
    console.log(text);
  }

  private clearTransient(): void {
    if (this.transientIsShown) process.stdout.write('\r\x1b[2K');
    this.transientIsShown = false;
  }
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** `41 ms`, `1.20 s`, `47 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** Of an ISO instant, by this machine's clock face: `14:05:00.012`. */
export function clock(instant: string): string {
  const at = new Date(instant);
  const two = (part: number) => String(part).padStart(2, '0');
  const millis = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${millis}`;
}
