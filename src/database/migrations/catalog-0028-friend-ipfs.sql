-- Id of a friend's node in the network of IPFS, as it says itself: over Bitswap it may have what is shared with the friend.
ALTER TABLE friend ADD COLUMN ipfs TEXT;
