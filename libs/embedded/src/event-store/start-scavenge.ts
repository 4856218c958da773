// The call that starts a scavenge, for who scavenges a running store: the official client has none.
import { OperationsClient } from '@eventstore/db-client/generated/operations_grpc_pb'
import { ScavengeResp, StartScavengeReq } from '@eventstore/db-client/generated/operations_pb'
import { credentials, Metadata } from '@grpc/grpc-js'

/** Milliseconds that the answer may take; the scavenge goes on after it. */
const DEADLINE = 10_000

/**
 * Whether it is a new one: false when one is under way already.
 * @throws Error (a gRPC ServiceError) when the store does not answer or refuses.
 */
export async function startScavenge(url: string): Promise<boolean> {
  const operations = new OperationsClient(url, credentials.createInsecure())
  try {
    const answer = await new Promise<ScavengeResp>((resolve, reject) =>
      operations.startScavenge(
        new StartScavengeReq(),
        // Right after another scavenge the stores may not listen yet.
        new Metadata({ waitForReady: true }),
        { deadline: Date.now() + DEADLINE },
        // The service's errors are Errors.
        (error, response) => (error ? reject(error) : resolve(response)),
      ),
    )
    return answer.getScavengeResult() === ScavengeResp.ScavengeResult.STARTED
  } finally {
    operations.close()
  }
}
