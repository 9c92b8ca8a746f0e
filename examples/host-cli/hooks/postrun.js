/** Called after every command that ended well. */
export default async function postrun({ Command }) {
  if (process.env.HOST_LOG === '1') process.stderr.write(`host: ${Command.id} is done\n`)
}
