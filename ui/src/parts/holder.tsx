import type { ReactNode } from 'react';
import { text } from '../text/text.js';
import { PersonLink } from './person-link.js';

/** Who has a device, or that nobody has. */
export function Holder({ id }: { id: string | null }): ReactNode {
  return id === null ? <span className="dim">{text.devices.nobody}</span> : <PersonLink id={id} />;
}
