import type { ReactNode } from 'react';
import { text } from '../text/text.js';
import { Instant } from '../time/instant.js';
import { Copyable } from './copyable.js';
import { Dialog } from './dialog.js';

/** As the server made it: it keeps only a hash, and can't show it again. */
export interface MadeLink {
  url: string;
  expiresAt: string;
}

interface Props {
  link: MadeLink;
  /** To whom it goes. */
  children: ReactNode;
  onClose: () => void;
}

/** A link that is shown this once, to take along, and until when it works. */
export function LinkDialog({ link, children, onClose }: Props): ReactNode {
  return (
    <Dialog title={text.linkMade} onClose={onClose}>
      <div className="stack">
        {children}
        <Copyable value={link.url} />
        <p className="dim small">
          {text.linkUntil} <Instant at={link.expiresAt} />
        </p>
      </div>
    </Dialog>
  );
}
