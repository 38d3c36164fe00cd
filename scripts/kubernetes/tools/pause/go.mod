// The program of the sandbox image: no dependencies.
module cybervein/tools/pause

go 1.24
