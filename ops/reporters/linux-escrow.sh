#!/bin/sh
# Makes a recovery key (LUKS) for this machine's disk, sees that it opens it, and gives it to Quartermaster to keep; only when
# one is wanted, so it may run every day. As root, with QM_URL and QM_TOKEN_FILE (this device's own token). cryptsetup asks
# for a passphrase that opens the disk, or takes the file QM_UNLOCK_FILE. QM_DISK names another disk than the one below /.
set -eu
umask 077
export LC_ALL=C
serial=$(cat "${QM_SERIAL_FILE:-/sys/class/dmi/id/product_serial}")
state=${QM_STATE:-/var/lib/quartermaster}
# In memory: the key is on no disk but, sealed, on the service's.
work=$(mktemp -d "${QM_RUN:-/run}/quartermaster.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
disk=${QM_DISK:-}
if [ -z "$disk" ]; then
  mapped=$(lsblk -nrpso NAME,TYPE "$(findmnt -nvo SOURCE /)" | awk '$2 == "crypt" { print $1; exit }')
  [ -n "$mapped" ] || { echo 'The disk below / is not encrypted by LUKS: there is nothing to keep a key of.' >&2; exit 1; }
  disk=$(cryptsetup status "$mapped" | awk '$1 == "device:" { print $2 }')
fi

# ask PATH FIELDS: the answer in $work/answer, its status on the standard output; 000 when nobody answered.
ask() {
  printf '{"token":"%s","serial":"%s","protects":"luks"%s}' "$(cat "$QM_TOKEN_FILE")" "$serial" "$2" |
    curl -sS --max-time 30 --retry 3 -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' -d @- "$QM_URL/v1/reporters/$1" || true
}
# What is in a slot, so that no other key is ever taken for ours.
slot_mark() {
  cryptsetup luksDump "$disk" | awk -v slot="$1" '/^Key Slot |^  [0-9]+: |^[A-Z]/ { on = ($0 ~ "^(Key Slot " slot ": ENABLED|  " slot ": luks2)") } on' | sha256sum | cut -d ' ' -f 1
}

answered=$(ask recovery-keys/wanted '')
[ "$answered" = 200 ] || { echo "Quartermaster did not say whether a key is wanted ($answered): $(cat "$work/answer" 2>/dev/null)" >&2; exit 1; }
# Of a key that was sent without an answer nobody knows: another one takes its place, and the place of what it was to replace.
[ -s "$state/unsure-slots" ] || grep -q '"wanted":true' "$work/answer" || { echo 'No new recovery key is wanted.'; exit 0; }

# 256 bits, in the form of systemd's recovery keys. Nobody guesses it, so its slot needs no slow derivation.
printf %s "$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' | tr 0123456789abcdef cbdefghijklnrtuv | sed 's/.\{8\}/&-/g; s/-$//')" >"$work/key"
cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 ${QM_UNLOCK_FILE:+--key-file "$QM_UNLOCK_FILE"} "$disk" "$work/key"
cryptsetup open --test-passphrase --verbose --key-file "$work/key" "$disk" >"$work/opened"
slot=$(sed -n 's/^Key slot \([0-9]*\) unlocked.*/\1/p' "$work/opened")
[ -n "$slot" ] || { echo 'cryptsetup did not say which slot the new key opens: it was not sent.' >&2; exit 1; }
mkdir -p "$state"
echo "$slot $(slot_mark "$slot")" >>"$state/unsure-slots"

answered=$(ask recovery-keys ",\"key\":\"$(cat "$work/key")\",\"provedAt\":\"$(date -u +%FT%TZ)\"")
case $answered in
  201) ;;
  4??)
    cryptsetup luksRemoveKey --batch-mode "$disk" "$work/key"
    sed -i "/^$slot /d" "$state/unsure-slots"
    echo "Quartermaster refused the key ($answered), so it was taken off the disk again: $(cat "$work/answer")" >&2
    exit 1
    ;;
  *)
    echo "Nobody knows whether Quartermaster has the key ($answered). It stays in slot $slot until this runs again: then another one takes its place." >&2
    exit 1
    ;;
esac

# Those before open the disk no more, where a slot still holds what was put there.
for before in "$state/recovery-slot" "$state/unsure-slots"; do
  [ -f "$before" ] || continue
  while read -r old mark; do
    if [ "$old" != "$slot" ] && [ "$(slot_mark "$old")" = "$mark" ]; then
      cryptsetup luksKillSlot --batch-mode --key-file "$work/key" "$disk" "$old" </dev/null
    fi
  done <"$before"
done
echo "$slot $(slot_mark "$slot")" >"$state/recovery-slot"
rm -f "$state/unsure-slots"
echo "Quartermaster keeps a new recovery key of $disk (slot $slot)."
