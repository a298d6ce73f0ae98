// An S3 server on a free port that verifies signatures and expiry; prints the port. Arguments: folder, bucket.
'use strict'
const S3rver = require('@20minutes/s3rver')

const [directory, bucket] = process.argv.slice(2)
const server = new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory,
  vhostBuckets: false,
  allowMismatchedSignatures: false,
  configureBuckets: [{ name: bucket }],
})
server.run((error, address) => {
  if (error) throw error
  console.log(address.port)
})
process.stdin.on('end', () => process.exit(0)).resume() // ends with whoever started it
