/** A program that does nothing until it is ended: what the tests of the test support start. */
process.on('disconnect', () => process.exit());
console.log('idle');
setInterval(() => {}, 60_000);
