import type { ReactNode } from 'react';
import { text } from '../text/text.js';
import type { RowSelection } from './use-selection.js';

interface Props {
  /** What a reader calls the row. */
  name: string;
  id: string;
  selection: Pick<RowSelection<unknown>, 'isChosen' | 'choose'>;
}

/** The box before a row. With Shift it takes all rows since the one that was touched last; the keys are in `shell/keys.tsx`. */
export function ChooseRow({ name, id, selection }: Props): ReactNode {
  return (
    <label className="choose">
      <input
        type="checkbox"
        data-choose
        checked={selection.isChosen(id)}
        onChange={({ nativeEvent }) => selection.choose(id, nativeEvent instanceof MouseEvent && nativeEvent.shiftKey)}
      />
      <span className="visually-hidden">{text.bulk.choose(name)}</span>
    </label>
  );
}
