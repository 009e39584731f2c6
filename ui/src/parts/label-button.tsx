import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { text } from '../text/text.js';
import { Dialog } from './dialog.js';

interface Props {
  /** Where its SVG is. */
  path: `/v1/${string}/label`;
  /** What it is stuck on. */
  name: string;
  small?: boolean;
}

/** A label with its code, to look at and to print: on paper stands the label alone. */
export function LabelButton({ path, name, small }: Props): ReactNode {
  const [isShown, setShown] = useState(false);
  return (
    <>
      <Button variant="default" {...(small && { size: 'xs' })} onClick={() => setShown(true)}>
        {text.label.open}
      </Button>
      {isShown && (
        <Dialog title={text.label.title(name)} onClose={() => setShown(false)}>
          <LabelShown path={path} name={name} />
        </Dialog>
      )}
    </>
  );
}

function LabelShown({ path, name }: Props): ReactNode {
  const [hasFailed, setFailed] = useState(false);
  if (hasFailed) return <p role="alert">{text.label.failed}</p>;
  return (
    <div className="stack">
      <img className="label printed" src={path} alt={text.label.alt(name)} onError={() => setFailed(true)} />
      <p className="dim small">{text.label.means}</p>
      <div className="row row-end">
        <Button onClick={() => window.print()} data-autofocus>
          {text.label.print}
        </Button>
      </div>
    </div>
  );
}
