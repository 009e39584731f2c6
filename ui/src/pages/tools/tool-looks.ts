import type { Tool } from '../../api/types.js';
import type { Tone } from '../../states/step-states.js';
import { text } from '../../text/text.js';

/** That a tool is set up isn't that it works: good only once its check was answered. */
export function toolLooks({ state, checkedAt }: Pick<Tool, 'state' | 'checkedAt'>): {
  shape: string;
  tone: Tone;
  word: string;
} {
  if (state === 'paused') return { shape: '‖', tone: 'bad', word: text.tools.state.paused };
  if (state === 'retired') return { shape: '⊘', tone: 'over', word: text.tools.state.retired };
  if (checkedAt === null) return { shape: '○', tone: 'waiting', word: text.tools.neverChecked };
  return { shape: '●', tone: 'good', word: text.tools.state.active };
}
