import { useState, type ReactNode } from 'react';
import { Button, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { endlessCarriers, endlessMedia, imageQuery } from '../../api/device-queries.js';
import type { ImageVersion } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { useMay } from '../../shell/caller.js';
import { CHANNEL_MOVES, type ChannelMove } from '../../states/image-channels.js';
import { text } from '../../text/text.js';

/** Publish, deprecate, withdraw: the more it touches, the more is asked before it is done. */
export function VersionActs({ version }: { version: ImageVersion }): ReactNode {
  const mayPublish = useMay()('images:publish');
  const [asked, setAsked] = useState<ChannelMove | null>(null);
  if (!mayPublish) return null;
  const moves: readonly ChannelMove[] = CHANNEL_MOVES[version.channel];
  const Asked = asked === null ? null : DIALOGS[asked];
  return (
    <>
      {moves.map((move) => (
        <Button key={move} variant="default" onClick={() => setAsked(move)}>
          {text.images.move[move].open}
        </Button>
      ))}
      {Asked && <Asked version={version} onClose={() => setAsked(null)} />}
    </>
  );
}

interface Props {
  version: ImageVersion;
  onClose: () => void;
}

const DIALOGS: Readonly<Record<ChannelMove, (props: Props) => ReactNode>> = {
  current: Publish,
  deprecated: Deprecate,
  withdrawn: Withdraw,
};

function Publish({ version: { id, imageId, image, version, architecture }, onClose }: Props): ReactNode {
  const { data } = useQuery(imageQuery(imageId));
  const before = data?.versions.find((one) => one.channel === 'current' && one.architecture === architecture);
  return (
    <ActDialog
      title={text.devices.actOn(text.images.move.current.verb, text.images.named(image, version))}
      verb={text.images.move.current.verb}
      act={() => answerOf(api.POST('/v1/images/versions/{id}/publish', { params: { path: { id } } }))}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{text.images.move.current.means}</p>
      {before && <p>{text.images.takesThePlaceOf(before.version)}</p>}
    </ActDialog>
  );
}

function Deprecate({ version: { id, image, version }, onClose }: Props): ReactNode {
  const { verb, means } = text.images.move.deprecated;
  return (
    <ActDialog
      title={text.devices.actOn(verb, text.images.named(image, version))}
      verb={verb}
      act={() => answerOf(api.POST('/v1/images/versions/{id}/deprecate', { params: { path: { id } } }))}
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
    </ActDialog>
  );
}

/** For good, so that the version has to be typed; what it is on is told before. */
function Withdraw({ version: { id, image, version }, onClose }: Props): ReactNode {
  const [typed, setTyped] = useState('');
  const carriers = useInfiniteQuery(endlessCarriers(id));
  const media = useInfiniteQuery(endlessMedia({ imageVersionId: id }));
  const [machines, sticks] = [counted(carriers), counted(media)];
  const { verb, means } = text.images.move.withdrawn;
  return (
    <ActDialog
      title={text.devices.actOn(verb, text.images.named(image, version))}
      verb={verb}
      danger
      isIncomplete={typed.trim() !== version}
      ask={{ label: text.images.withdrawWhy, description: text.images.withdrawReads, required: true }}
      act={(reason) =>
        answerOf(api.POST('/v1/images/versions/{id}/withdraw', { params: { path: { id } }, body: { reason } }))
      }
      onDone={onClose}
      onClose={onClose}
    >
      <p>{means}</p>
      {machines !== null && sticks !== null && <p>▲ {text.images.isOn(machines, sticks)}</p>}
      <TextInput
        label={text.images.typeVersion(version)}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        autoComplete="off"
        required
      />
    </ActDialog>
  );
}

interface Counted {
  data: { pages: readonly { items: readonly unknown[] }[] } | undefined;
  hasNextPage: boolean;
}

/** How many there are, as far as they were read: `12`, or `50+`. */
function counted({ data, hasNextPage }: Counted): string | null {
  const count = data?.pages.reduce((sum, { items }) => sum + items.length, 0);
  return count === undefined ? null : `${count}${hasNextPage ? '+' : ''}`;
}
