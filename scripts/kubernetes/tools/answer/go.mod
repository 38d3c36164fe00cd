// The program of the image that the tests of the node itself run: no dependencies.
module cybervein/tools/answer

go 1.24
