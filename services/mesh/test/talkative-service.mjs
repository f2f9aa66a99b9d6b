// Is ready at once, says more than a pipe holds, and ends with code 3. Whoever does not read what it says keeps it from ending.
// With REFUSED in its environment, brokers that it reaches after that refuse it.
await new Promise((sent) => process.send({ state: 'ready' }, sent));
if (process.env.REFUSED) {
  process.stderr.write('Kafka refuses the login.\n');
  process.exit(78);
}
process.send({ state: 'consuming' });
process.stdout.write(`${JSON.stringify({ msg: 'x'.repeat(100) })}\n`.repeat(5_000));
process.exitCode = 3;
process.disconnect();
