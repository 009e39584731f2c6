import { useEffect, useRef, type ReactNode } from 'react';
import { text } from '../text/text.js';
import type { RowSelection } from './use-selection.js';

interface Props {
  selection: RowSelection<unknown>;
  /** How many rows are loaded. */
  count: number;
  /** What can be done with those that are chosen. */
  children: ReactNode;
}

/** Above a list: choose all that is shown, how many are chosen, and what can be done with them. */
export function SelectionBar({ selection, count, children }: Props): ReactNode {
  const { chosen, chooseAll, chooseNone } = selection;
  const box = useRef<HTMLInputElement>(null);
  const isSome = chosen.length > 0 && chosen.length < count;
  useEffect(() => {
    if (box.current) box.current.indeterminate = isSome;
  }, [isSome]);
  return (
    <div className="selection-bar" role="group" aria-label={text.bulk.label}>
      <label className="choose">
        <input
          ref={box}
          type="checkbox"
          checked={chosen.length === count}
          onChange={({ currentTarget: { checked } }) => (checked ? chooseAll() : chooseNone())}
        />
        <span>{text.bulk.all(count)}</span>
      </label>
      <span role="status">{chosen.length > 0 && text.bulk.chosen(chosen.length)}</span>
      {chosen.length > 0 && children}
    </div>
  );
}
