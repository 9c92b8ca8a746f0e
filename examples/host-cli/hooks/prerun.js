/** Called before every command, those of albertkit too: a place for a licence check, a log, an environment. */
export default async function prerun({ Command, argv }) {
  if (process.env.HOST_LOG === '1') process.stderr.write(`host: ${Command.id} ${argv.join(' ')}\n`)
}
